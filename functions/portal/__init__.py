"""What is neither ranking nor classification: pages, uploads, jobs, models, health and the API's description."""
