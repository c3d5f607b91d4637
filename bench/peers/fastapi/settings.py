"""Settings from a secret of AWS Secrets Manager, where one is named."""
import json
import os


def load() -> None:
    """Sets the variables that the secret has; one that is set wins."""
    secret_id = os.getenv("APP_SECRET_ID")
    if not secret_id:
        return
    import boto3

    secret = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)
    for name, value in json.loads(secret["SecretString"]).items():
        os.environ.setdefault(name, value)
