import type { ApplicationLogLevel, SystemLogLevel } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';

export type StageName = 'dev' | 'staging' | 'prod';

export interface Stage {
  /** Origins of the frontends that may call the API from a browser, without a path. */
  allowedOrigins: [Origin, ...Origin[]];
  /** Both are built from the same source; arm64 costs a fifth less for the same time. */
  architecture: 'x86_64' | 'arm64';
  /** MB */
  memorySize: number;
  /** Seconds; the functions answer within 8 whatever happens. */
  timeout: number;
  /** Of a function; what is reserved no other function of the account can take. */
  reservedConcurrency?: number;
  /** Requests a second, of all users together; beyond it API Gateway answers 429. */
  rateLimit: number;
  burstLimit: number;
  logRetentionDays: RetentionDays;
  /** DEBUG also tells of each connection; above INFO the metrics know of failures alone. */
  logLevel: keyof typeof ApplicationLogLevel;
  /** Lambda's own lines: at INFO start and report of each request. */
  systemLogLevel: keyof typeof SystemLogLevel;
  /** Sends traces to X-Ray, and lets a client choose which: a request with `Sampled=1` in its `X-Amzn-Trace-Id` is traced. */
  tracing?: boolean;
  /** The IAM policy that limits the roles made here, by its name; `.github/deploy-role.yaml` makes one. */
  permissionsBoundary?: string;
  monthlyBudget?: Budget;
  /** Without it the stage has no alarms, and so no canary. */
  alarms?: Alarms;
  /** Without it the API has API Gateway's domain name. */
  domain?: Domain;
}

type Origin = `https://${string}` | `http://${string}`;

export interface Alarms {
  /** A p99 above it is an alarm. */
  slowMilliseconds: number;
  /** More in each of three times five minutes is an alarm. */
  manyRequests: number;
  /** More 4xx answers, just so. */
  manyRefusals: number;
  /** Who receives alarms, besides the topic's other subscribers. */
  email?: `${string}@${string}`;
  /** Whether a new version gets a tenth of the traffic for five minutes first, and is rolled back on an alarm. */
  canary: boolean;
}

export interface Budget {
  /** A month, of the whole AWS account. */
  usd: number;
  /** Who hears of 80 % spent, and of a forecast above it. */
  email: `${string}@${string}`;
}

export interface Domain {
  /** A domain name of one's own for the API, such as api.example.com. */
  name: string;
  /** The certificate of that name, in this region's Certificate Manager. */
  certificateArn: string;
  /** The Route 53 zone that gets the name's record; left out where it is kept elsewhere. */
  hostedZoneId?: string;
  /** Whether the API answers under this name alone, and not under API Gateway's own. */
  disableDefaultEndpoint?: boolean;
}

export const stages: Record<StageName, Stage> = {
  dev: {
    allowedOrigins: ['http://localhost:3000'],
    architecture: 'x86_64',
    memorySize: 128,
    timeout: 10,
    rateLimit: 20,
    burstLimit: 40,
    logRetentionDays: 7,
    logLevel: 'INFO',
    systemLogLevel: 'INFO',
  },
  staging: {
    // Yours: the origin of the frontend of this stage.
    allowedOrigins: ['https://staging.app.example'],
    architecture: 'x86_64',
    memorySize: 256,
    timeout: 10,
    rateLimit: 100,
    burstLimit: 200,
    logRetentionDays: 30,
    logLevel: 'INFO',
    systemLogLevel: 'WARN',
    alarms: { slowMilliseconds: 2000, manyRequests: 3000, manyRefusals: 300, canary: false },
  },
  prod: {
    // Yours: the origin of the frontend, and, as `email` in `alarms`, who receives alarms.
    allowedOrigins: ['https://app.example'],
    architecture: 'x86_64',
    memorySize: 256,
    timeout: 10,
    reservedConcurrency: 40,
    rateLimit: 500,
    burstLimit: 1000,
    logRetentionDays: 90,
    logLevel: 'INFO',
    systemLogLevel: 'WARN',
    alarms: { slowMilliseconds: 2000, manyRequests: 30000, manyRefusals: 3000, canary: true },
  },
};
