// The address after the hash is the whole state of what is shown: #/messages?status=2&open=ID. Reload, share, go back.

/** {view, params} of an address. */
export function read(hash = location.hash) {
    const [, view = '', query = ''] = /^#\/?([^?]*)\??(.*)$/s.exec(hash) ?? [];
    return { view, params: new URLSearchParams(query) };
}

/** The address of a view; parameters that are null are left out, '' is a value. */
export function address(view, params = {}) {
    const all = params instanceof URLSearchParams ? params : new URLSearchParams();
    if (all !== params)
        for (const [name, value] of Object.entries(params)) if (value !== null && value !== undefined) all.set(name, value);
    const query = all.toString();
    return `#/${view}${query ? `?${query}` : ''}`;
}

/** The present parameters with some changed; null takes one away. */
export function changed(params, changes) {
    const all = new URLSearchParams(params);
    for (const [name, value] of Object.entries(changes))
        if (value === null || value === undefined) all.delete(name); else all.set(name, value);
    return all;
}

export function go(view, params, { replace = false } = {}) {
    const to = address(view, params);
    if (to === location.hash) return;
    if (replace) {
        history.replaceState(null, '', to);
        window.dispatchEvent(new HashChangeEvent('hashchange'));
    } else {
        location.hash = to;
    }
}
