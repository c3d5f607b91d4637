export type StageName = 'dev' | 'staging' | 'prod';

/** What is said of a stage beside the table of the stages in `template.yaml`; what is left out is as it is there. */
export interface Stage {
  /** Origins of the frontends that may call the API from a browser, without a path. */
  allowedOrigins: [Origin, ...Origin[]];
  /** Both are built from the same source; arm64 costs a fifth less for the same time. */
  architecture?: 'x86_64' | 'arm64';
  /** Whether a new version gets a tenth of the traffic for five minutes first, and is rolled back on an alarm. */
  canary?: boolean;
  /** Sends traces to X-Ray, and traces whatever a client wants traced (`Sampled=1` in its `X-Amzn-Trace-Id`). */
  tracing?: boolean;
  /** Who receives alarms, besides the topic's other subscribers. */
  alarms?: Alarms;
  /** Without it the API has API Gateway's domain name. */
  domain?: Domain;
  /** The name of the IAM policy that limits the roles made here; `.github/deploy-role.yaml` makes one. */
  permissionsBoundary?: string;
}

type Origin = `https://${string}` | `http://${string}`;

export interface Alarms {
  email: `${string}@${string}`;
  /** USD a month for the whole AWS account; the address hears of 80 % spent and of a forecast above it. */
  monthlyBudget?: number;
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

/** A canary is rolled back by alarms, and dev has none. */
export type Stages = Record<StageName, Stage> & { dev: { canary?: false } };

export const stages: Stages = {
  dev: {
    allowedOrigins: ['http://localhost:3000'],
  },
  staging: {
    // Yours: the origin of the frontend of this stage.
    allowedOrigins: ['https://staging.app.example'],
  },
  prod: {
    // Yours: the origin of the frontend, and, as `alarms: { email: … }`, who receives alarms.
    allowedOrigins: ['https://app.example'],
    canary: true,
  },
};
