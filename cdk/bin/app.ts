import { App } from 'aws-cdk-lib';
import { type StageName, stages } from '../lib/stages.ts';
import { TaskApi } from '../lib/task-api.ts';

const app = new App();
for (const [name, stage] of Object.entries(stages)) {
  new TaskApi(app, name as StageName, stage);
}
