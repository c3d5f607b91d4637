"""Settings from an AWS Secrets Manager secret, if one is named."""
import json
import os


def load() -> None:
    """Sets the secret's variables, except those that are set already."""
    secret_id = os.getenv("APP_SECRET_ID")
    if not secret_id:
        return
    import boto3

    secret = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)
    for name, value in json.loads(secret["SecretString"]).items():
        os.environ.setdefault(name, value)
