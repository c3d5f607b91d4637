export type StageName = 'dev' | 'staging' | 'prod';

/**
 * The settings of a stage, besides the table of stages in `template.yaml`; omitted ones keep the template's default.
 */
export interface Stage {
  /** Origins of the frontends that may call the API from a browser, without a path. */
  allowedOrigins: [Origin, ...Origin[]];
  /** arm64 costs a fifth less for the same time; both are built from the same source. */
  architecture?: 'x86_64' | 'arm64';
  /** Sends a tenth of the traffic to a new version for five minutes and rolls it back on an alarm. */
  canary?: boolean;
  /** Sends traces to X-Ray; clients may also request one (`Sampled=1` in `X-Amzn-Trace-Id`). */
  tracing?: boolean;
  /** Who receives alarms, besides the topic's other subscribers. */
  alarms?: Alarms;
  /** Without it the API has only API Gateway's domain name. */
  domain?: Domain;
  /** The IAM policy that limits the roles made here; `.github/deploy-role.yaml` makes one. */
  permissionsBoundary?: string;
}

type Origin = `https://${string}` | `http://${string}`;

export interface Alarms {
  email: `${string}@${string}`;
  /** USD a month for the whole AWS account; the address gets a mail at 80 % and when the forecast exceeds it. */
  monthlyBudget?: number;
}

export interface Domain {
  /** The API's own domain name, such as api.example.com. */
  name: string;
  /** The certificate for this name, in this region's Certificate Manager. */
  certificateArn: string;
  /** The Route 53 zone for the name's record; omit it if the zone is elsewhere. */
  hostedZoneId?: string;
  /** Disables API Gateway's own domain name. */
  disableDefaultEndpoint?: boolean;
}

/** A canary is rolled back by alarms, and dev has none. */
export type Stages = Record<StageName, Stage> & { dev: { canary?: false } };

export const stages: Stages = {
  dev: {
    allowedOrigins: ['http://localhost:3000'],
  },
  staging: {
    // Set this to the origin of this stage's frontend.
    allowedOrigins: ['https://staging.app.example'],
  },
  prod: {
    // Set this to the origin of the frontend, and add the alarm address as `alarms: { email: … }`.
    allowedOrigins: ['https://app.example'],
    canary: true,
  },
};
