// Asks again and again, one question at a time, and only while somebody looks.

/** Calls task(signal) at once and then every `interval` ms, slower while it fails, until the signal ends it. */
export function poll(task, interval, signal) {
    let timer = 0, running = false, failures = 0, again = false;

    async function turn() {
        clearTimeout(timer);
        if (signal.aborted || document.hidden) return;
        if (running) {
            again = true;
            return;
        }
        running = true;
        try {
            await task(signal);
            failures = 0;
        } catch {
            failures = Math.min(failures + 1, 4);
        }
        running = false;
        if (signal.aborted) return;
        timer = setTimeout(turn, again ? 0 : interval() * 2 ** failures);
        again = false;
    }

    const seen = () => { if (!document.hidden) turn(); };
    document.addEventListener('visibilitychange', seen, { signal });
    signal.addEventListener('abort', () => clearTimeout(timer));
    turn();
    return { now: turn };
}
