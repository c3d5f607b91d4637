import type { Stack } from 'aws-cdk-lib';
import type { CfnApi } from 'aws-cdk-lib/aws-apigatewayv2';
import { CfnAlarm, type CfnAlarmProps } from 'aws-cdk-lib/aws-cloudwatch';
import { Subscription, SubscriptionProtocol, Topic } from 'aws-cdk-lib/aws-sns';
import type { OperationFunction } from './operation-function.ts';
import type { Alarms } from './stages.ts';

/** Makes the alarms and their topic; gives the topic, and the alarms on which a canary is rolled back. */
export function addAlarms(stack: Stack, api: CfnApi, functions: OperationFunction[], settings: Alarms) {
  const topic = new Topic(stack, 'AlarmTopic');
  if (settings.email !== undefined) {
    new Subscription(stack, 'AlarmSubscription', {
      topic,
      protocol: SubscriptionProtocol.EMAIL,
      endpoint: settings.email,
    });
  }

  const alarm = (
    id: string,
    description: string,
    props: Omit<CfnAlarmProps, 'comparisonOperator' | 'treatMissingData'>,
  ) =>
    new CfnAlarm(stack, id, {
      alarmDescription: `${description} See "Operate" in the README.`,
      alarmActions: [topic.topicArn],
      okActions: [topic.topicArn],
      comparisonOperator: 'GreaterThanThreshold',
      treatMissingData: 'notBreaching',
      ...props,
    });
  const ofApi = [{ name: 'ApiId', value: api.ref }];
  const sum = (id: string, namespace: string, metricName: string, dimensions: CfnAlarm.DimensionProperty[]) => ({
    id,
    returnData: false,
    metricStat: { metric: { namespace, metricName, dimensions }, period: 60, stat: 'Sum' },
  });
  const sumOfFunctions = (id: string, label: string, metricName: string) => [
    { id, label, expression: 'SUM(METRICS())' },
    ...functions.map(({ function: { functionName } }, index) =>
      sum(`m${index + 1}`, 'AWS/Lambda', metricName, [{ name: 'FunctionName', value: functionName }]),
    ),
  ];

  const serverErrors = alarm(
    'ServerErrorsAlarm',
    'More than 1 % of the requests (of 100, where there are fewer a minute) end in a 5xx.',
    {
      metrics: [
        {
          id: 'percent',
          label: '5xx answers, percent',
          expression: '100 * errors / IF(requests < 100, 100, requests)',
        },
        sum('errors', 'AWS/ApiGateway', '5xx', ofApi),
        sum('requests', 'AWS/ApiGateway', 'Count', ofApi),
      ],
      threshold: 1,
      evaluationPeriods: 5,
      datapointsToAlarm: 2,
    },
  );
  alarm('LatencyAlarm', 'One request in a hundred takes longer than the stage allows, for a quarter of an hour.', {
    namespace: 'AWS/ApiGateway',
    metricName: 'Latency',
    dimensions: ofApi,
    extendedStatistic: 'p99',
    period: 300,
    threshold: settings.slowMilliseconds,
    evaluationPeriods: 3,
  });
  const many = (metricName: string, threshold: number) => ({
    namespace: 'AWS/ApiGateway',
    metricName,
    dimensions: ofApi,
    statistic: 'Sum',
    period: 300,
    threshold,
    evaluationPeriods: 3,
  });
  alarm(
    'RequestsAlarm',
    'More requests than the stage expects, for a quarter of an hour. Each costs money.',
    many('Count', settings.manyRequests),
  );
  alarm(
    'RefusalsAlarm',
    'More 4xx answers than the stage expects, for a quarter of an hour.',
    many('4xx', settings.manyRefusals),
  );
  const functionErrors = alarm('FunctionErrorsAlarm', 'A function did not start, ended, or ran into its timeout.', {
    metrics: sumOfFunctions('errors', 'Errors of all functions', 'Errors'),
    threshold: 0,
    evaluationPeriods: 1,
  });
  alarm('ThrottlesAlarm', 'Lambda refused to start a function, for want of concurrency.', {
    metrics: sumOfFunctions('throttles', 'Throttles of all functions', 'Throttles'),
    threshold: 0,
    evaluationPeriods: 5,
    datapointsToAlarm: 2,
  });
  const database = alarm('DatabaseAlarm', 'Requests end in a 503 because the database does not answer.', {
    namespace: 'TaskApi',
    metricName: 'Failures',
    dimensions: [
      { name: 'service', value: stack.stackName },
      { name: 'code', value: 'database_unavailable' },
    ],
    statistic: 'Sum',
    period: 60,
    threshold: 2,
    evaluationPeriods: 5,
    datapointsToAlarm: 2,
  });

  return { topic, rollback: [serverErrors, functionErrors, database] };
}
