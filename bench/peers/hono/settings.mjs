// Settings from an AWS Secrets Manager secret, if one is named; variables that are set directly
// win.
const SecretId = process.env.APP_SECRET_ID;
if (SecretId) {
  const { GetSecretValueCommand, SecretsManagerClient } = await import('@aws-sdk/client-secrets-manager');
  const { SecretString } = await new SecretsManagerClient().send(new GetSecretValueCommand({ SecretId }));
  process.env = { ...JSON.parse(SecretString), ...process.env };
}
