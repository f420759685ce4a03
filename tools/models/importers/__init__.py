"""From what users have to bundles: one importer a kind. None executes anything from the user's file."""
