/** The state of the pending calls: one takes long, or one waits because the server is busy. */
export type CallsState = 'fine' | 'slow' | 'busy';

const SLOW_MS = 3_000;

interface Call {
  state: CallsState;
  timer: ReturnType<typeof setTimeout>;
}

/** Watches whether a call keeps the user waiting, and notifies listeners. */
export class CallWatch {
  readonly #calls = new Set<Call>();
  readonly #listeners = new Set<() => void>();
  #state: CallsState = 'fine';

  readonly state = () => this.#state;

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

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
    const state = states.has('busy') ? 'busy' : states.has('slow') ? 'slow' : 'fine';
    if (state !== this.#state) {
      this.#state = state;
      this.#listeners.forEach((listener) => listener());
    }
  }
}
