// Settings from a secret of AWS Secrets Manager, where one is named; a variable that is set wins.
const SecretId = process.env.APP_SECRET_ID;
if (SecretId) {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const { SecretString } = await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId }));
  process.env = { ...JSON.parse(SecretString), ...process.env };
}
