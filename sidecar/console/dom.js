// Builds elements. Text is always text: nothing here, or anywhere else in the console, parses data as HTML.

const svg_namespace = 'http://www.w3.org/2000/svg';

function set(element, name, value) {
    if (value === null || value === undefined || value === false) return;
    if (name === 'on') {
        for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else if (name === 'data') {
        for (const [key, one] of Object.entries(value)) if (one !== null && one !== undefined) element.dataset[key] = one;
    } else if (name === 'value' || name === 'checked' || name === 'indeterminate') {
        element[name] = value;
    } else {
        element.setAttribute(name, value === true ? '' : String(value));
    }
}

function fill(element, properties, children) {
    // A select's value is known only once it has its options.
    for (const [name, value] of Object.entries(properties ?? {})) if (name !== 'value') set(element, name, value);
    element.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
    if (properties && 'value' in properties) set(element, 'value', properties.value);
    return element;
}

/** An element with attributes (on: listeners, data: dataset) and children: nodes, texts, lists of them; null is nothing. */
export const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);

/** Likewise, of SVG. */
export const s = (tag, properties, ...children) => fill(document.createElementNS(svg_namespace, tag), properties, children);

export function replace(element, ...children) {
    element.replaceChildren(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
    return element;
}

let last_id = 0;
export const unique_id = (prefix) => `${prefix}-${++last_id}`;

/** Shows an element above everything else, dialogs too. */
export function raise(element) {
    if (!element.showPopover) return;
    element.popover = 'manual';
    if (element.matches(':popover-open')) element.hidePopover();
    element.showPopover();
}

/** Replaces what is in an element, and puts the focus where it was: on the link or button of the same place. */
export function redraw(element, ...children) {
    const within = () => [...element.querySelectorAll('a, button')];
    const at = within().indexOf(document.activeElement);
    replace(element, ...children);
    if (at >= 0) within()[at]?.focus({ preventScroll: true });
}
