// How the sidecar is, asked for all who show it: the overview every 5 s, the page's head else every 15 s.
import { get } from './api.js';
import { poll } from './poll.js';

export function overview_source(signal) {
    const listeners = new Set();
    let last = null;

    function tell(answer, error) {
        for (const listener of listeners) listener(answer, error);
    }

    const poller = poll(async () => {
        try {
            last = await get('overview', {}, signal);
            tell(last, null);
        } catch (error) {
            if (!signal.aborted) tell(last, error);
            throw error;
        }
    }, () => (listeners.size > 1 ? 5000 : 15_000), signal);

    return {
        now: poller.now,
        subscribe(listener, until) {
            listeners.add(listener);
            until.addEventListener('abort', () => listeners.delete(listener));
            if (last) listener(last, null);
            poller.now();
        },
    };
}
