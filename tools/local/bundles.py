def publish_defaults(s3, bucket, folder):
    pass
