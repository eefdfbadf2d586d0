import { remember, remembered } from './i18n.js';

export const themes = ['auto', 'light', 'dark'];
let chosen = themes.includes(remembered('theme')) ? remembered('theme') : 'auto';

function apply() {
    if (chosen === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
}

export const theme = () => chosen;

export function next_theme() {
    chosen = themes[(themes.indexOf(chosen) + 1) % themes.length];
    remember('theme', chosen);
    apply();
}

apply();
