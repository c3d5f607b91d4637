import { fileURLToPath } from 'node:url';
import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnIntegration, CfnRoute, type CfnApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { type IManagedPolicy, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Alias,
  ApplicationLogLevel,
  Architecture,
  CfnPermission,
  LoggingFormat,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { RustFunction } from 'cargo-lambda-cdk';
import { Construct } from 'constructs';
import type { Operation } from './operations.ts';
import type { Stage } from './stages.ts';

interface Props {
  operation: Operation;
  stage: Stage;
  secretName: string;
  policy: IManagedPolicy;
  boundary: IManagedPolicy | undefined;
  api: CfnApi;
}

/** One operation: its function with a log and a role of its own, and its route. */
export class OperationFunction extends Construct {
  readonly operation: Operation;
  readonly function: RustFunction;
  readonly logs: LogGroup;
  /** API Gateway calls it, so that a rollback is a change of the alias. */
  readonly alias: Alias;

  constructor(scope: Construct, id: string, { operation, stage, secretName, policy, boundary, api }: Props) {
    super(scope, id);
    const stack = Stack.of(this);
    const functionName = `${stack.stackName}-${operation.name}`;
    this.operation = operation;

    this.logs = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: stage.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      managedPolicies: [policy],
      permissionsBoundary: boundary,
      inlinePolicies: {
        logs: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
              resources: [this.logs.logGroupArn],
            }),
          ],
        }),
      },
    });
    this.function = new RustFunction(this, 'Function', {
      functionName,
      description: operation.description,
      manifestPath: fileURLToPath(new URL('../../Cargo.toml', import.meta.url)),
      binaryName: operation.name,
      architecture: stage.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      // Left to itself, the function adds what tracing needs, which is in the policy where it is on.
      role: role.withoutPolicyUpdates(),
      memorySize: stage.memorySize,
      timeout: Duration.seconds(stage.timeout),
      reservedConcurrentExecutions: stage.reservedConcurrency,
      environment: { APP_SECRET_ID: secretName, SERVICE_NAME: stack.stackName },
      tracing: stage.tracing ? Tracing.ACTIVE : Tracing.PASS_THROUGH,
      loggingFormat: LoggingFormat.JSON,
      applicationLogLevelV2: ApplicationLogLevel[stage.logLevel],
      systemLogLevelV2: SystemLogLevel[stage.systemLogLevel],
      logGroup: this.logs,
      currentVersionOptions: {
        description:
          `${stage.memorySize} MB, ${stage.timeout} s, ` +
          `log level ${stage.logLevel}, of Lambda ${stage.systemLogLevel}, ` +
          `tracing ${stage.tracing ? 'Active' : 'PassThrough'}`,
        // What a rollback goes back to.
        removalPolicy: RemovalPolicy.RETAIN,
      },
    });
    this.alias = new Alias(this, 'FunctionAliaslive', { aliasName: 'live', version: this.function.currentVersion });

    const integration = new CfnIntegration(this, 'Integration', {
      apiId: api.ref,
      integrationType: 'AWS_PROXY',
      integrationUri: this.alias.functionArn,
      payloadFormatVersion: '2.0',
      timeoutInMillis: 11000,
    });
    new CfnRoute(this, 'Route', {
      apiId: api.ref,
      routeKey: operation.route,
      target: `integrations/${integration.ref}`,
    });
    new CfnPermission(this, 'Permission', {
      action: 'lambda:InvokeFunction',
      functionName: this.alias.functionArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn: stack.formatArn({
        service: 'execute-api',
        resource: api.ref,
        resourceName: `*/${operation.route.replace(' ', '').replace(/\{\w+\}/g, '*')}`,
      }),
    });
  }
}
