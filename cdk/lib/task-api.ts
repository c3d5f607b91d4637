import { fileURLToPath } from 'node:url';
import { DefaultStackSynthesizer, Stack, Validations } from 'aws-cdk-lib';
import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { CfnFunction } from 'aws-cdk-lib/aws-sam';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Bundling } from 'cargo-lambda-cdk/lib/bundling.js';
import { Construct } from 'constructs';
import type { Stage, StageName } from './stages.ts';

/** A stage: `template.yaml`, with the functions built and uploaded by the CDK. */
export class TaskApi extends Stack {
  /** The resources by their names in the template, to change or extend them. */
  readonly template: CfnInclude;

  constructor(scope: Construct, name: StageName, stage: Stage) {
    super(scope, `task-api-${name}`, {
      tags: { service: 'task-api', stage: name },
      // The CLI checks the bootstrap version itself.
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
    });
    this.template = new CfnInclude(this, 'Template', {
      templateFile: file('template.yaml'),
      parameters: parameters(name, stage),
    });
    // The types in stages.ts replace the template's rules on parameters.
    const rules = this.template.getRule('Settings').node;
    rules.scope?.node.tryRemoveChild(rules.id);

    // With all parameters given, each condition has a fixed result. For W3011 see the template.
    for (const rule of ['W8003', 'W9053', 'W3011']) {
      Validations.of(this).acknowledge({ id: `CloudFormation-Validate::${rule}`, reason: 'as meant' });
    }

    const architecture = stage.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64;
    for (const resource of this.template.node.findAll()) {
      if (resource instanceof CfnFunction) {
        const binaryName = resource.getMetadata('BuildProperties').Binary as string;
        const code = Bundling.bundle({ manifestPath: file('Cargo.toml'), binaryName, architecture });
        const { s3Location } = code.bind(new Construct(this, binaryName));
        resource.codeUri = { bucket: s3Location?.bucketName ?? '', key: s3Location?.objectKey ?? '' };
      }
    }
  }
}

/** The template's parameters; all are given, since replacing them drops their defaults. */
function parameters(name: StageName, stage: Stage): Record<string, string | number> {
  const { alarms, domain } = stage;
  return {
    Stage: name,
    AllowedOrigins: stage.allowedOrigins.map(checkedOrigin).join(','),
    Architecture: stage.architecture ?? 'x86_64',
    Canary: String(stage.canary ?? false),
    Tracing: stage.tracing ? 'Active' : 'PassThrough',
    AlarmEmail: alarms?.email ?? '',
    MonthlyBudget: alarms?.monthlyBudget ?? 0,
    DomainName: domain?.name ?? '',
    CertificateArn: domain?.certificateArn ?? '',
    HostedZoneId: domain?.hostedZoneId ?? '',
    DisableDefaultEndpoint: String(domain?.disableDefaultEndpoint ?? false),
    PermissionsBoundary: stage.permissionsBoundary ?? '',
  };
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

/** A file in the project's root. */
function file(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url));
}
