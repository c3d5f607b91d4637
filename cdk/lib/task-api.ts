import { ArnFormat, type CfnElement, CfnOutput, DefaultStackSynthesizer, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { CfnBudget } from 'aws-cdk-lib/aws-budgets';
import { CfnApi, CfnApiMapping, CfnDomainName, CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { type CfnAlarm, CfnDashboard } from 'aws-cdk-lib/aws-cloudwatch';
import { LambdaApplication, LambdaDeploymentConfig, LambdaDeploymentGroup } from 'aws-cdk-lib/aws-codedeploy';
import {
  CfnManagedPolicy,
  type IManagedPolicy,
  ManagedPolicy,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnRecordSet } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { addAlarms } from './alarms.ts';
import { dashboardBody } from './dashboard.ts';
import { OperationFunction } from './operation-function.ts';
import { operations } from './operations.ts';
import type { Budget, Domain, Stage, StageName } from './stages.ts';

/** The whole of a stage; `template.yaml` holds the same for SAM. */
export class TaskApi extends Stack {
  constructor(scope: Construct, name: StageName, stage: Stage) {
    super(scope, `task-api-${name}`, {
      description: 'A task API behind Better Auth. One stack is one stage.',
      tags: { service: 'task-api', stage: name },
      // The CLI checks the bootstrap's version itself.
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
    });
    const secretName = `task-api/${name}`;

    const api = this.addApi(stage);
    const policy = this.addFunctionPolicy(secretName, stage);
    const boundary = stage.permissionsBoundary
      ? ManagedPolicy.fromManagedPolicyName(this, 'Boundary', stage.permissionsBoundary)
      : undefined;
    const canaryRole = this.addCanaryRole(boundary);
    const functions = operations.map(
      (operation) =>
        new OperationFunction(this, pascalCase(operation.name), { operation, stage, secretName, policy, boundary, api }),
    );
    new CfnDashboard(this, 'Dashboard', {
      dashboardName: this.stackName,
      dashboardBody: dashboardBody(this, api, functions),
    });
    if (stage.alarms) {
      const { topic, rollback } = addAlarms(this, api, functions, stage.alarms);
      if (stage.alarms.canary) {
        this.addCanary(functions, canaryRole, rollback);
      }
      new CfnOutput(this, 'AlarmTopicArn', {
        description: 'Where the alarms are sent; subscribe to it what else should hear of them.',
        value: topic.topicArn,
      });
    }
    if (stage.monthlyBudget) {
      this.addBudget(stage.monthlyBudget);
    }

    new CfnOutput(this, 'ApiUrl', {
      description: "What the frontend's NEXT_PUBLIC_API_URL takes.",
      value: stage.domain ? `https://${stage.domain.name}` : api.attrApiEndpoint,
    });
    new CfnOutput(this, 'SecretName', {
      description: 'The secret in Secrets Manager that the functions read.',
      value: secretName,
    });
    const cloudWatch = `https://${this.region}.console.aws.amazon.com/cloudwatch/home?region=${this.region}`;
    new CfnOutput(this, 'DashboardUrl', {
      description: 'The stage at a glance.',
      value: `${cloudWatch}#dashboards/dashboard/${this.stackName}`,
    });
  }

  /** The names that SAM's stack has, so that a stage deployed with one tool can be deployed with the other. */
  protected override allocateLogicalId(element: CfnElement): string {
    return element.node.scopes
      .slice(1 + element.node.scopes.indexOf(this))
      .map(({ node }) => node.id)
      .filter((id) => id !== 'Resource')
      .join('');
  }

  private addApi(stage: Stage): CfnApi {
    const api = new CfnApi(this, 'Api', {
      name: this.stackName,
      protocolType: 'HTTP',
      disableExecuteApiEndpoint: stage.domain?.disableDefaultEndpoint ?? false,
      corsConfiguration: {
        allowOrigins: stage.allowedOrigins.map(checkedOrigin),
        allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'if-match', 'if-none-match'],
        exposeHeaders: ['etag', 'link', 'location', 'idempotent-replayed', 'retry-after'],
        maxAge: 7200,
      },
    });
    const accessLogs = new LogGroup(this, 'AccessLogs', {
      // Under this prefix API Gateway may write without an entry of its own in the account's log policy.
      logGroupName: `/aws/vendedlogs/apis/${this.stackName}`,
      retention: stage.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const apiStage = new CfnStage(this, 'ApiStage', {
      apiId: api.ref,
      stageName: '$default',
      autoDeploy: true,
      defaultRouteSettings: { throttlingRateLimit: stage.rateLimit, throttlingBurstLimit: stage.burstLimit },
      accessLogSettings: {
        destinationArn: accessLogs.logGroupArn,
        // Of whom there is nothing here: no address, no user, no path.
        format: JSON.stringify({
          requestId: '$context.requestId',
          time: '$context.requestTime',
          route: '$context.routeKey',
          status: '$context.status',
          milliseconds: '$context.responseLatency',
          integrationStatus: '$context.integration.status',
          integrationMilliseconds: '$context.integration.latency',
          integrationError: '$context.integrationErrorMessage',
          bytes: '$context.responseLength',
        }),
      },
    });
    if (stage.domain) {
      this.addDomain(stage.domain, apiStage, api);
    }
    return api;
  }

  private addDomain({ name, certificateArn, hostedZoneId }: Domain, apiStage: CfnStage, api: CfnApi): void {
    const domain = new CfnDomainName(this, 'Domain', {
      domainName: name,
      domainNameConfigurations: [{ certificateArn, endpointType: 'REGIONAL', securityPolicy: 'TLS_1_2' }],
    });
    new CfnOutput(this, 'DomainTarget', {
      description: "What the domain name's record points at, where its zone is kept elsewhere.",
      value: domain.attrRegionalDomainName,
    });
    new CfnApiMapping(this, 'DomainMapping', { apiId: api.ref, domainName: domain.ref, stage: apiStage.ref });
    if (hostedZoneId !== undefined) {
      new CfnRecordSet(this, 'DomainRecord', {
        hostedZoneId,
        name,
        type: 'A',
        aliasTarget: { dnsName: domain.attrRegionalDomainName, hostedZoneId: domain.attrRegionalHostedZoneId },
      });
    }
  }

  /** What each function may, besides writing its own log: read this stage's secret, and send traces where they are on. */
  private addFunctionPolicy(secretName: string, stage: Stage) {
    const policy = new CfnManagedPolicy(this, 'FunctionPolicy', {
      policyDocument: new PolicyDocument({
        statements: [
          new PolicyStatement({
            actions: ['secretsmanager:GetSecretValue'],
            resources: [
              this.formatArn({
                service: 'secretsmanager',
                resource: 'secret',
                // Secrets Manager ends each name with six random characters.
                resourceName: `${secretName}-??????`,
                arnFormat: ArnFormat.COLON_RESOURCE_NAME,
              }),
            ],
          }),
          // Without it nothing is traced, whatever a client asks for: in PassThrough, too, Lambda heeds its Sampled=1.
          // These two know no resources.
          ...(stage.tracing
            ? [new PolicyStatement({ actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], resources: ['*'] })]
            : []),
        ],
      }),
    });
    return ManagedPolicy.fromManagedPolicyArn(this, 'FunctionPolicyArn', policy.ref);
  }

  /** What CodeDeploy does in a canary: it moves the aliases, and watches the alarms. */
  private addCanaryRole(boundary?: IManagedPolicy): Role {
    return new Role(this, 'CanaryRole', {
      assumedBy: new ServicePrincipal('codedeploy.amazonaws.com'),
      permissionsBoundary: boundary,
      inlinePolicies: {
        canary: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ['lambda:GetAlias', 'lambda:UpdateAlias', 'lambda:GetProvisionedConcurrencyConfig'],
              resources: [
                this.formatArn({
                  service: 'lambda',
                  resource: 'function',
                  resourceName: `${this.stackName}-*`,
                  arnFormat: ArnFormat.COLON_RESOURCE_NAME,
                }),
              ],
            }),
            // It lists, so it knows no resources.
            new PolicyStatement({ actions: ['cloudwatch:DescribeAlarms'], resources: ['*'] }),
          ],
        }),
      },
    });
  }

  private addBudget({ usd, email }: Budget): void {
    const subscribers = [{ subscriptionType: 'EMAIL', address: email }];
    const above = (notificationType: string, threshold: number) => ({
      notification: { notificationType, comparisonOperator: 'GREATER_THAN', threshold },
      subscribers,
    });
    new CfnBudget(this, 'Budget', {
      budget: {
        budgetName: this.stackName,
        budgetType: 'COST',
        timeUnit: 'MONTHLY',
        budgetLimit: { amount: usd, unit: 'USD' },
      },
      notificationsWithSubscribers: [above('ACTUAL', 80), above('FORECASTED', 100)],
    });
  }

  private addCanary(functions: OperationFunction[], role: Role, alarms: CfnAlarm[]): void {
    const application = new LambdaApplication(this, 'ServerlessDeploymentApplication');
    for (const { node, alias } of functions) {
      new LambdaDeploymentGroup(this, `${node.id}FunctionDeploymentGroup`, {
        application,
        alias,
        role: role.withoutPolicyUpdates(),
        deploymentConfig: LambdaDeploymentConfig.CANARY_10PERCENT_5MINUTES,
        alarms,
        autoRollback: { failedDeployment: true, stoppedDeployment: true, deploymentInAlarm: true },
      });
    }
  }
}

/** `list-tasks` becomes `ListTasks`. */
function pascalCase(name: string): string {
  return name.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function checkedOrigin(origin: string): string {
  if (!/^https?:\/\/[^/*,\s]+$/.test(origin)) {
    throw new Error(
      `allowedOrigins: ${origin} is not an origin as a browser sends it, such as https://app.example.com, ` +
        'without a path and without a star',
    );
  }
  return origin;
}
