import type { Stack } from 'aws-cdk-lib';
import type { CfnApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { OperationFunction } from './operation-function.ts';

/** The stage at a glance, as CloudWatch reads it. */
export function dashboardBody(stack: Stack, api: CfnApi, functions: OperationFunction[]): string {
  const service = stack.stackName;
  const ofFunctions = (metricName: string, id: string) =>
    functions.map(({ function: { functionName } }, index) => [
      ...(index === 0 ? ['AWS/Lambda', metricName, 'FunctionName'] : ['...']),
      functionName,
      { id: `${id}${index + 1}`, visible: false },
    ]);
  type Place = [x: number, y: number, width: number, height: number];
  const widget = (type: 'metric' | 'log', [x, y, width, height]: Place, properties: object) => ({
    type,
    x,
    y,
    width,
    height,
    properties: { region: stack.region, ...(type === 'metric' && { period: 60 }), ...properties },
  });

  return stack.toJsonString({
    start: '-PT12H',
    widgets: [
      widget('metric', [0, 0, 12, 6], {
        title: 'Requests',
        stat: 'Sum',
        metrics: [
          ['AWS/ApiGateway', 'Count', 'ApiId', api.ref, { label: 'all' }],
          ['.', '4xx', '.', '.', { label: '4xx' }],
          ['.', '5xx', '.', '.', { label: '5xx' }],
        ],
      }),
      widget('metric', [12, 0, 12, 6], {
        title: 'Latency at API Gateway, ms',
        metrics: [
          ['AWS/ApiGateway', 'Latency', 'ApiId', api.ref, { stat: 'p50', label: 'p50' }],
          ['...', { stat: 'p90', label: 'p90' }],
          ['...', { stat: 'p99', label: 'p99' }],
        ],
      }),
      widget('metric', [0, 6, 12, 6], {
        title: 'In the functions, ms',
        metrics: [
          ['TaskApi', 'Latency', 'service', service, { stat: 'p50', label: 'request p50' }],
          ['...', { stat: 'p99', label: 'request p99' }],
          ['.', 'DatabaseLatency', '.', '.', { stat: 'p50', label: 'database p50' }],
          ['...', { stat: 'p99', label: 'database p99' }],
        ],
      }),
      widget('metric', [12, 6, 12, 6], {
        title: 'Failures by code',
        stacked: true,
        metrics: [
          [
            {
              expression: `SEARCH('{TaskApi,service,code} service="${service}" MetricName="Failures"', 'Sum')`,
              label: "${PROP('Dim.code')}",
            },
          ],
        ],
      }),
      widget('metric', [0, 12, 8, 6], {
        title: 'Cold starts and repeats',
        stat: 'Sum',
        metrics: [
          ['TaskApi', 'ColdStarts', 'service', service],
          ['.', 'DatabaseRetries', '.', '.'],
        ],
      }),
      widget('metric', [8, 12, 8, 6], {
        title: 'Sandboxes at work',
        stat: 'Maximum',
        metrics: functions.map(({ operation, function: { functionName } }, index) => [
          ...(index === 0 ? ['AWS/Lambda', 'ConcurrentExecutions', 'FunctionName'] : ['...']),
          functionName,
          { label: operation.name.split('-')[0] },
        ]),
      }),
      widget('metric', [16, 12, 8, 6], {
        title: 'Errors and throttles of the functions',
        stat: 'Sum',
        metrics: [
          ...ofFunctions('Errors', 'e'),
          ...ofFunctions('Throttles', 't'),
          [{ expression: 'SUM(METRICS("e"))', label: 'errors' }],
          [{ expression: 'SUM(METRICS("t"))', label: 'throttles' }],
        ],
      }),
      widget('log', [0, 18, 24, 8], {
        title: 'The last failures',
        view: 'table',
        query: [
          ...functions.map(({ logs }) => `SOURCE '${logs.logGroupName}'`),
          'fields @timestamp, operation, status, code, reason, message, requestId',
          "filter level in ['WARN', 'ERROR']",
          'sort @timestamp desc',
          'limit 50',
        ].join(' | '),
      }),
    ],
  });
}
