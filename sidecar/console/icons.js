import { s } from './dom.js';

// Of a grid of 20 by 20, drawn with a line.
const paths = {
    overview: 'M3 12.5 7 8l3.5 3.5L17 5M13 5h4v4M3 17h14',
    messages: 'M3 5.5h14v9H3zM3.5 6l6.5 5 6.5-5',
    failures: 'M10 3 2.5 16.5h15zM10 8.5v3.5M10 14.4v.1',
    dead_letters: 'M3 11v5h14v-5h-4l-1.2 2H8.2L7 11zM3 11l2.5-7h9L17 11M8.2 6.2l3.6 3.6M11.8 6.2 8.2 9.8',
    lanes: 'M4 3v14M10 3v3M10 8.5v3M10 14v3M16 3v14',
    configuration: 'M3 6h6M13 6h4M3 14h3M10 14h7M11 4v4M8 12v4',
    sun: 'M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM10 2v1.5M10 16.5v1.5M2 10h1.5M16.5 10h1.5M4.3 4.3l1.1 1.1M14.6 14.6l1.1 1.1M15.7 4.3l-1.1 1.1M5.4 14.6l-1.1 1.1',
    moon: 'M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z',
    auto: 'M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14M12.5 4.5v11M15 6v8',
    close: 'M5 5l10 10M15 5 5 15',
    copy: 'M7 7h9v10H7zM4 13V3h9',
    check: 'M4 10.5 8 14.5 16 5.5',
    retry: 'M16 10a6 6 0 1 1-1.8-4.3M16.2 2.8v3.4h-3.4',
    trash: 'M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.8 11h7.4l.8-11M8.5 8.5v5M11.5 8.5v5',
    edit: 'M4 16l.8-3.6L13.5 3.7l2.8 2.8-8.7 8.7zM11.7 5.5l2.8 2.8',
    refresh: 'M4 10a6 6 0 0 1 10.5-4M16 10a6 6 0 0 1-10.5 4M14.8 2.8v3.4h-3.4M5.2 17.2v-3.4h3.4',
    pause: 'M7 4.5v11M13 4.5v11',
    play: 'M6 4l10 6-10 6z',
    older: 'M8 5l5 5-5 5',
    newest: 'M10 5 5 10l5 5M15 5l-5 5 5 5',
    help: 'M7.5 7.5a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M10 14.4v.1M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15z',
    logout: 'M8 3.5H4v13h4M12.5 6.5 16 10l-3.5 3.5M7.5 10H16',
    language: 'M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15zM2.5 10h15M10 2.5c2.5 2.2 3.2 4.8 3.2 7.5S12.5 15.3 10 17.5C7.5 15.3 6.8 12.7 6.8 10S7.5 4.7 10 2.5z',
    filter: 'M3 5h14M5.5 10h9M8 15h4',
    jobs: 'M10 3v3M10 14v3M3 10h3M14 10h3M5 5l2.1 2.1M12.9 12.9 15 15M15 5l-2.1 2.1M7.1 12.9 5 15',
    external: 'M8 4H4v12h12v-4M11 4h5v5M16 4l-7 7',
};

/** Decoration only: what it means has to be said in text beside it, or as its button's name. */
export const icon = (name) =>
    s('svg', { class: 'icon', viewBox: '0 0 20 20', 'aria-hidden': 'true', focusable: 'false' }, s('path', { d: paths[name] }));

/** A small picture of the program, as in icon.svg. */
export const logo = () =>
    s('svg', { class: 'logo', viewBox: '0 0 32 32', 'aria-hidden': 'true', focusable: 'false' },
        s('rect', { width: 32, height: 32, rx: 8 }),
        s('path', { d: 'M6.5 18.5v5a2 2 0 0 0 2 2h15a2 2 0 0 0 2-2v-5h-5.2l-1.8 2.6h-5l-1.8-2.6zM16 15.5v-9m-4 3.8 4-4 4 4' }));
