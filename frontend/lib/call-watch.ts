import { Store } from '@/lib/store';

/** The state of the pending calls: one takes long, or one waits because the server is busy. */
export type CallsState = 'fine' | 'slow' | 'busy';

const SLOW_MS = 3_000;

interface Call {
  state: CallsState;
  timer: ReturnType<typeof setTimeout>;
}

/** Watches whether a call keeps the user waiting, and notifies listeners. */
export class CallWatch extends Store<{ calls: CallsState }> {
  readonly #calls = new Set<Call>();

  constructor() {
    super({ calls: 'fine' });
  }

  begin() {
    const call: Call = { state: 'fine', timer: setTimeout(() => this.#mark(call, 'slow'), SLOW_MS) };
    this.#calls.add(call);
    return {
      /** Called when it waits before a retry. */
      pause: () => this.#mark(call, 'busy'),
      end: () => {
        clearTimeout(call.timer);
        this.#calls.delete(call);
        this.#update();
      },
    };
  }

  #mark(call: Call, state: CallsState) {
    // Busy explains slow, so it has priority.
    call.state = call.state === 'busy' ? 'busy' : state;
    this.#update();
  }

  #update() {
    const states = new Set([...this.#calls].map(({ state }) => state));
    const calls = states.has('busy') ? 'busy' : states.has('slow') ? 'slow' : 'fine';
    if (calls !== this.state().calls) {
      this.set({ calls });
    }
  }
}
