import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { InfiniteQueryObserver } from '@tanstack/react-query';
import fc from 'fast-check';
import { isDeleted } from '@/components/tasks/deleted-tasks';
import { UNDO_MS } from '@/components/tasks/deletions';
import { type Filter, matches } from '@/components/tasks/filter';
import { deleteLeft, type LeftDeletions } from '@/components/tasks/left-deletions';
import { CHANGES, type PendingChange, withChanges } from '@/components/tasks/task-changes';
import { TaskModel } from '@/components/tasks/task-model';
import { MemoryStorage, TaskServer } from '@/components/tasks/task-server.fixture';
import { NO_TEXT, toStored } from '@/components/tasks/task-text';
import { ApiError } from '@/lib/api-error';

let server: TaskServer;
let model: TaskModel;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  Object.assign(globalThis, { sessionStorage: new MemoryStorage() });
  server = new TaskServer();
  model = newPage();
});
afterEach(() => mock.timers.reset());

const newPage = (leave = (left: LeftDeletions) => void deleteLeft(server.api, 'u', left)) => new TaskModel(server.api, 'u', 'all', null, leave);

/** Runs everything that does not wait for a timer. */
async function settled() {
  for (let turn = 0; turn < 20; turn += 1) {
    await new Promise((done) => setImmediate(done));
    mock.timers.tick(0);
  }
}

async function later(ms: number) {
  await settled();
  mock.timers.tick(ms);
  await settled();
}

/** Loads a list and keeps it active, as a page that shows it does. */
async function show(filter: Filter = 'all') {
  const observer = new InfiniteQueryObserver(model.lists.client, model.lists.options(filter));
  const stop = observer.subscribe(() => {});
  await settled();
  return { observer, stop };
}

const changesOnTheirWay = () =>
  model.lists.client
    .getMutationCache()
    .findAll({ mutationKey: CHANGES, status: 'pending' })
    .map(({ state }) => state.variables as PendingChange);

/** A list as the page shows it. */
const shown = (filter: Filter = 'all') =>
  withChanges(model.lists.loaded(filter)?.tasks ?? [], changesOnTheirWay()).filter(
    (task) => matches(task, filter) && !isDeleted(model.deletions.state(), task),
  );
const titles = (filter: Filter = 'all') => shown(filter).map(({ title }) => title);

/** A call whose arrival the test controls. */
function hold() {
  const arrivals: (() => void)[] = [];
  server.travel = () => new Promise((arrive) => arrivals.push(arrive));
  return {
    async release() {
      server.travel = async () => {};
      arrivals.splice(0).forEach((arrive) => arrive());
      await settled();
    },
  };
}

const fail = (call: string, status = 503, code: ApiError['code'] = 'database_unavailable') =>
  server.failing.set(call, new ApiError(status, code, 'It failed.'));

describe('the lists', () => {
  it('have a task where it belongs, in order, as soon as its change is answered', async () => {
    const [one, , three] = [server.put({}), server.put({}), server.put({ completed: true })];
    await show('all');
    await show('open');
    await show('done');
    await model.changes.complete(one, true);
    await model.changes.complete(three, false);
    assert.deepEqual([titles('open'), titles('done')], [['Task 3', 'Task 2'], ['Task 1']]);
    assert.deepEqual(titles(), ['Task 3', 'Task 2', 'Task 1']);
    assert.equal(server.calls.filter((call) => call === 'list').length, 3);
  });

  it('leave an older task to the page it comes with', async () => {
    const old = server.put({});
    for (let n = 0; n < 25; n += 1) {
      server.put({ completed: true });
    }
    const { observer } = await show('done');
    await model.changes.complete(old, true);
    assert.equal(shown('done').length, 20);
    await observer.fetchNextPage();
    assert.deepEqual(shown('done').map(({ id }) => id), server.list(true).map(({ id }) => id));
  });

  it('that were asked for before a change, and arrive after it, do not undo it', async () => {
    const [one, two] = [server.put({}), server.put({})];
    await show();
    const list = hold();
    void model.lists.refresh();
    await settled();
    server.travel = async () => {};
    // This list was read before the change, but its answer is still pending.
    server.calls.length = 0;
    await model.changes.complete(one, true);
    await model.deletions.deleteChanged(two);
    await model.drafts.add({ title: 'New' });
    const stale = server.list;
    server.list = () => [{ ...two, etag: null }, { ...one, etag: null }];
    await list.release();
    server.list = stale;
    assert.deepEqual(shown().map(({ title, completed }) => [title, completed]), [['New', false], ['Task 1', true]]);
  });
});

describe('a change', () => {
  it('is shown at once, and taken back where it fails', async () => {
    const task = server.put({});
    await show();
    fail('complete', 403, 'wrong_user');
    const way = hold();
    void model.changes.complete(task, true);
    assert.equal(shown()[0]?.completed, true);
    await way.release();
    assert.equal(shown()[0]?.completed, false);
    assert.deepEqual(model.messages.state().failures.map(({ text }) => text), ['“Task 1” could not be completed. It failed.']);
  });

  it('waits for the one before of the same task, and for no other', async () => {
    const [one, two] = [server.put({}), server.put({})];
    const way = hold();
    void model.changes.complete(one, true);
    void model.changes.complete(one, false);
    void model.changes.complete(two, true);
    await settled();
    assert.equal(changesOnTheirWay().length, 3);
    await way.release();
    assert.deepEqual(server.calls, ['complete 1', 'complete 2', 'complete 1']);
    assert.equal(server.tasks.get(1)?.completed, false);
  });

  it('fails each in a line of its own, to be closed', async () => {
    fail('complete');
    const [one, two] = [server.put({}), server.put({})];
    await model.changes.complete(one, true);
    await model.changes.complete(two, true);
    const [first] = model.messages.state().failures;
    assert(first);
    model.messages.close(first);
    assert.equal(model.messages.state().failures.length, 1);
  });
});

describe('an edit', () => {
  const edit = (id: number, title: string) => {
    model.edits.write(id, { ...NO_TEXT, title });
    const found = model.edits.state().edits.find(({ base }) => base.id === id);
    assert(found);
    return found;
  };

  it('is saved over a newer completion', async () => {
    const task = server.put({});
    model.edits.open(task);
    await settled();
    server.put({ id: 1, completed: true });
    assert.equal(await model.edits.save(edit(1, 'Mine')), true);
    assert.deepEqual([server.tasks.get(1)?.title, server.tasks.get(1)?.completed], ['Mine', true]);
  });

  it('is not saved over a newer text, but is once its user has seen that', async () => {
    model.edits.open(server.put({}));
    await settled();
    server.put({ id: 1, title: 'Theirs' });
    assert.equal(await model.edits.save(edit(1, 'Mine')), false);
    const [refused] = model.edits.state().edits;
    assert.deepEqual([refused?.newer?.title, refused?.text.title, server.tasks.get(1)?.title], ['Theirs', 'Mine', 'Theirs']);
    assert(refused);
    assert.equal(await model.edits.save(refused), true);
    assert.equal(server.tasks.get(1)?.title, 'Mine');
  });

  it('whose answer was lost is saved, not a conflict', async () => {
    model.edits.open(server.put({}));
    await settled();
    const edited = edit(1, 'Mine');
    server.put({ id: 1, title: 'Mine' });
    assert.equal(await model.edits.save(edited), true);
  });

  it('outlives the page, unless it was saved after all', async () => {
    model.edits.open(server.put({}));
    model.edits.open(server.put({}));
    edit(1, 'Kept');
    edit(2, 'Saved');
    server.put({ id: 2, title: 'Saved' });
    model = newPage();
    model.edits.restore();
    assert.deepEqual(model.edits.state().edits.map(({ text }) => text.title), ['Kept', 'Saved']);
    await settled();
    assert.deepEqual(model.edits.state().edits.map(({ text }) => text.title), ['Kept']);
  });

  it('without a change is not kept', () => {
    model.edits.open(server.put({}));
    edit(1, 'Task 1');
    model = newPage();
    model.edits.restore();
    assert.deepEqual(model.edits.state().edits, []);
  });
});

describe('a new task', () => {
  it('that was on its way when the page went is sent again, and is one task', async () => {
    fail('create', 503);
    server.failing.set('create', new ApiError(401, 'signed_out', 'Your session has ended.'));
    await model.drafts.add({ title: 'Typed as the session ended' });
    server.failing.clear();
    model = newPage();
    model.drafts.restore();
    await show();
    assert.deepEqual(titles(), ['Typed as the session ended']);
    assert.deepEqual(model.drafts.state().drafts, []);
  });

  it('whose answer was lost is one task after a second try', async () => {
    await show();
    fail('create');
    await model.drafts.add({ title: 'Once' });
    const [draft] = model.drafts.state().drafts;
    assert.equal(draft?.failure?.code, 'database_unavailable');
    server.failing.clear();
    assert(draft);
    await model.drafts.retry(draft);
    assert.deepEqual([titles(), server.tasks.size], [['Once'], 1]);
  });

  it('that was refused is there on the next page, with what was typed to mend it', async () => {
    fail('create', 422, 'invalid_request');
    await model.drafts.add({ title: 'x'.repeat(201) });
    const [draft] = model.drafts.state().drafts;
    assert(draft);
    model.drafts.mend(draft, { ...NO_TEXT, title: 'Shorter' });
    model.drafts.write({ ...NO_TEXT, title: 'Half', description: 'typed' });
    model = newPage();
    model.drafts.restore();
    await settled();
    const { form, drafts } = model.drafts.state();
    assert.deepEqual([form.title, drafts[0]?.mending?.title, drafts[0]?.failure?.status], ['Half', 'Shorter', 422]);
    assert.equal(server.calls.length, 1);
  });

  it('comes after the one that was written before it', async () => {
    await show();
    await Promise.all(['First', 'Second', 'Third'].map((title) => model.drafts.add({ title })));
    assert.deepEqual(titles(), ['Third', 'Second', 'First']);
  });

  it('that the shown list does not hold says where it is', async () => {
    model.show('done');
    await model.drafts.add({ title: 'Elsewhere' });
    assert.equal(model.messages.state().news?.text, 'Added “Elsewhere” to your open tasks.');
  });
});

describe('a deletion', () => {
  it('can be taken back for 10 s, counted from the last one', async () => {
    const tasks = [server.put({}), server.put({}), server.put({})];
    await show();
    for (const task of tasks) {
      model.deletions.delete(task);
      await later(UNDO_MS - 1);
    }
    assert.deepEqual(titles(), []);
    assert.equal(model.deletions.waiting, 3);
    model.deletions.undoLast();
    assert.deepEqual(titles(), ['Task 3']);
    await later(UNDO_MS);
    assert.deepEqual([...server.tasks.keys()], [3]);
    assert.deepEqual(titles(), ['Task 3']);
  });

  it('does not run out while its notice is looked at', async () => {
    model.deletions.delete(server.put({}));
    model.deletions.pause();
    await later(UNDO_MS * 10);
    assert.equal(model.deletions.waiting, 1);
    model.deletions.undo();
    assert.deepEqual([model.deletions.waiting, server.tasks.size], [0, 1]);
  });

  for (const [what, known] of [['a known version', true], ['no known version', false]] as const) {
    it(`with ${what} asks where the text was changed elsewhere`, async () => {
      const task = server.put({});
      model.deletions.delete(known ? task : { ...task, etag: null });
      await settled();
      server.put({ id: 1, title: 'Theirs' });
      await show();
      await later(UNDO_MS);
      assert.deepEqual([titles(), model.deletions.state().changed.map(({ title }) => title)], [['Theirs'], ['Theirs']]);
      const [changed] = model.deletions.state().changed;
      assert(changed);
      await model.deletions.deleteChanged(changed);
      assert.deepEqual([titles(), server.tasks.size, model.deletions.state().changed], [[], 0, []]);
    });

    it(`with ${what} does not ask where only the completion was changed`, async () => {
      const task = server.put({});
      model.deletions.delete(known ? task : { ...task, etag: null });
      server.put({ id: 1, completed: true });
      await later(UNDO_MS);
      assert.equal(server.tasks.size, 0);
    });
  }

  it('of a task that is gone already is done', async () => {
    model.deletions.delete(server.put({}));
    server.tasks.clear();
    await later(UNDO_MS);
    assert.deepEqual(model.messages.state().failures, []);
  });

  it('that fails brings the task back, and says so', async () => {
    const task = server.put({});
    await show();
    fail('delete', 429, 'throttled');
    model.deletions.delete(task);
    await later(UNDO_MS);
    assert.deepEqual(titles(), ['Task 1']);
    assert.equal(model.messages.state().failures.length, 1);
  });

  it('is left to the server by a page that goes away, whether its version is known or not, unless the text was changed', async () => {
    const [one, two, three] = [server.put({}), server.put({}), server.put({})];
    model.deletions.delete(one);
    model.deletions.delete({ ...two, etag: null });
    model.deletions.delete({ ...three, etag: null });
    server.put({ id: three.id, title: 'Theirs' });
    model.deletions.leave();
    await settled();
    assert.deepEqual([...server.tasks.keys()], [three.id]);
    model = newPage();
    model.deletions.restore();
    await show();
    await settled();
    assert.deepEqual([titles(), model.deletions.state().changed.map(({ title }) => title)], [['Theirs'], ['Theirs']]);
    assert.deepEqual(model.messages.state().failures, []);
  });

  it('that no server received from the page that went is sent by the next one', async () => {
    server.put({ completed: true });
    model = newPage(() => {});
    await show();
    model.deletions.delete(server.put({}));
    model.deletions.clear([]);
    model.deletions.leave();
    model = newPage();
    model.deletions.restore();
    await settled();
    assert.deepEqual([server.tasks.size, model.messages.state().failures], [0, []]);
  });
});

describe('clear completed', () => {
  it('waits for an undo, and spares what is completed later', async () => {
    const [, two] = [server.put({ completed: true }), server.put({})];
    await show();
    model.deletions.clear([]);
    assert.deepEqual(titles(), ['Task 2']);
    server.put({ id: two.id, completed: true });
    await later(UNDO_MS);
    assert.deepEqual([...server.tasks.keys()], [2]);
    assert.deepEqual(titles(), ['Task 2']);
  });

  it('takes what no list has shown yet, up to the moment it was pressed by the clock of the API', async () => {
    const at = (second: number) => `2026-11-23T08:15:${String(second).padStart(2, '0')}.000001Z`;
    const [one, two, three] = [10, 20, 30].map((second) => {
      const task = server.put({ completed: true });
      return Object.assign(task, { updated_at: at(second) });
    });
    assert(one && two && three);
    const pressed = Date.now();
    model.deletions.clear([]);
    // The first answer with the API's time comes during the time for an undo; the browser's clock is an hour off.
    server.timeAt = (time) => new Date(Date.parse('2026-11-23T08:15:25Z') + (time - pressed));
    await show();
    assert.deepEqual(shown().map(({ id }) => id), [three.id]);
    await later(UNDO_MS);
    assert.deepEqual([...server.tasks.keys()], [three.id]);
  });

  it('takes what was just completed, though that is still on its way', async () => {
    const task = server.put({});
    await show();
    const way = hold();
    void model.changes.complete(task, true);
    model.deletions.clear([task.id]);
    assert.deepEqual(titles(), []);
    await way.release();
    assert.deepEqual(titles(), []);
    await later(UNDO_MS);
    assert.equal(server.tasks.size, 0);
  });

  it('spares a task that is completed later, though the change of one that it takes arrives after that', async () => {
    const [one, two] = [server.put({}), server.put({})];
    await show();
    const way = hold();
    void model.changes.complete(one, true);
    await settled();
    model.deletions.clear([one.id]);
    server.travel = async () => {};
    const second = model.changes.complete(two, true);
    assert.deepEqual(titles(), ['Task 2']);
    await second;
    await way.release();
    assert.deepEqual(titles(), ['Task 2']);
    await later(UNDO_MS);
    assert.deepEqual([titles(), [...server.tasks.keys()]], [['Task 2'], [two.id]]);
    assert.equal(model.messages.state().announcement, '1 completed task deleted');
  });

  it('that the session ended is there for the page after the next sign-in', async () => {
    server.put({ completed: true });
    await show();
    model.deletions.clear([]);
    server.failing.set('clear', new ApiError(401, 'signed_out', 'Your session has ended.'));
    await later(UNDO_MS);
    assert.deepEqual([model.messages.state().failures, server.tasks.size], [[], 1]);
    server.failing.clear();
    model = newPage();
    model.deletions.restore();
    await show();
    assert.deepEqual(titles(), []);
    await later(UNDO_MS);
    assert.equal(server.tasks.size, 0);
  });

  it('can be taken back, after what was deleted later', async () => {
    const [, two] = [server.put({ completed: true }), server.put({})];
    await show();
    model.deletions.clear([]);
    model.deletions.delete(two);
    assert.deepEqual(titles(), []);
    model.deletions.undoLast();
    assert.deepEqual(titles(), ['Task 2']);
    model.deletions.undoLast();
    await later(UNDO_MS * 2);
    assert.deepEqual([titles(), server.tasks.size], [['Task 2', 'Task 1'], 2]);
  });
});

describe('leaving', () => {
  it('waits 2 s for what is on its way, and counts what is not saved', async () => {
    const task = server.put({});
    hold();
    void model.changes.complete(task, true);
    void model.drafts.add({ title: 'New' });
    model.drafts.write({ ...NO_TEXT, title: 'Half' });
    model.deletions.delete(server.put({}));
    let unsent: number | undefined;
    void model.settle(2_000).then((count) => (unsent = count));
    for (let ms = 0; ms < 2_000; ms += 50) {
      assert.equal(unsent, undefined);
      await later(50);
    }
    mock.timers.tick(50);
    await settled();
    assert.equal(unsent, 4);
  });
});

describe('whatever the order of the answers', () => {
  type Action = 'first edit' | 'second edit' | 'delete' | 'read again' | 'theirs' | 'complete';
  const actions: Action[] = ['first edit', 'second edit', 'delete', 'read again', 'theirs', 'complete'];

  it('clear completed deletes what it hides, and never what is completed later', async () => {
    mock.timers.reset();
    const tasks = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });
    const some = fc.array(fc.nat({ max: 29 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), tasks, some, some, fc.boolean(), async (scheduler, completed, before, after, hasTime) => {
        Object.assign(globalThis, { sessionStorage: new MemoryStorage() });
        server = new TaskServer();
        const all = completed.map((done) => server.put({ completed: done }));
        const of = (indexes: number[]) => [...new Set(indexes)].flatMap((index) => all[index] ?? []);
        model = newPage();
        const observer = new InfiniteQueryObserver(model.lists.client, model.lists.options('done'));
        const stop = observer.subscribe(() => {});
        while (!model.lists.loaded('done')) {
          await new Promise((done) => setImmediate(done));
        }
        server.travel = () => scheduler.schedule(Promise.resolve());
        const ends = of(before).map((task) => model.changes.complete(task, true));
        for (let turn = 0; turn < before.length && scheduler.count() > 0; turn += 1) {
          await scheduler.waitOne();
        }
        const time = server.list().map(({ updated_at }) => updated_at).sort().at(-1);
        // The API's clock, or none until the clearing is sent.
        server.timeAt = () => (hasTime && time ? new Date(time.slice(0, 23).concat('Z')) : null);
        const pending = changesOnTheirWay().flatMap(({ taskId }) => taskId ?? []);
        model.deletions.clear(pending);
        const later = of(after).filter(({ id }) => !server.tasks.get(id)?.completed && !pending.includes(id));
        ends.push(...later.map((task) => model.changes.complete(task, true)));
        const hidden = () => {
          const visible = withChanges(server.list(), changesOnTheirWay()).filter((task) => !isDeleted(model.deletions.state(), task));
          return server.list().filter(({ id }) => !visible.some((task) => task.id === id)).map(({ id }) => id);
        };
        assert.deepEqual(hidden().filter((id) => later.some((task) => task.id === id)), []);
        await scheduler.waitFor(Promise.all(ends));
        while (hasTime && observer.getCurrentResult().hasNextPage) {
          await scheduler.waitFor(observer.fetchNextPage());
        }
        const [hides, had] = [hidden(), server.list().map(({ id }) => id)];
        assert.deepEqual(hides.filter((id) => later.some((task) => task.id === id)), []);
        await scheduler.waitFor(model.deletions.flush());
        assert.deepEqual(had.filter((id) => !server.tasks.has(id)), hides);
        stop();
      }),
      { numRuns: Number(process.env.RUNS ?? 300) },
    );
  });

  it('two edits and a delete of one task end in what the server has', async () => {
    mock.timers.reset();
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.shuffledSubarray(actions, { minLength: 3 }),
        fc.constantFrom(...['none', 'update', 'delete', 'get', 'complete', 'list']),
        async (scheduler, order, failing) => {
          Object.assign(globalThis, { sessionStorage: new MemoryStorage() });
          server = new TaskServer();
          const task = server.put({});
          server.put({ completed: true });
          model = newPage();
          const observer = new InfiniteQueryObserver(model.lists.client, model.lists.options('all'));
          const stop = observer.subscribe(() => {});
          while (!model.lists.loaded('all')) {
            await new Promise((done) => setImmediate(done));
          }
          server.travel = () => scheduler.schedule(Promise.resolve());
          server.failing.set(failing, new ApiError(503, 'database_unavailable', 'It failed.'));
          const stored = toStored(NO_TEXT);
          const does: Record<Action, () => unknown> = {
            'first edit': () => model.changes.save(task, { ...stored, title: 'First' }),
            'second edit': () => model.changes.save({ ...task, title: 'First' }, { ...stored, title: 'Second' }),
            delete: () => (model.deletions.delete({ ...task, etag: null }), model.deletions.flush()),
            'read again': () => observer.refetch(),
            theirs: () => server.tasks.has(task.id) && server.put({ id: task.id, title: 'Theirs' }),
            complete: () => model.changes.complete(task, true),
          };
          const ends = order.map((action) => does[action]());
          await scheduler.waitFor(Promise.allSettled(ends));
          // A failed call may have been executed, so the user is told to check. Changes of others come through their
          // tabs.
          server.failing.clear();
          if (failing !== 'none' || order.includes('theirs')) {
            await scheduler.waitFor(observer.refetch());
          }
          stop();
          const state = ({ id, title, completed }: { id: number; title: string; completed: boolean }) => [id, title, completed];
          assert.deepEqual(shown().map(state), server.list().map(state));
          assert.equal(model.changes.pending, 0);
        },
      ),
      { numRuns: Number(process.env.RUNS ?? 300) },
    );
  });
});
