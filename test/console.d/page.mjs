// A real browser at the real page. Whatever it complains of, on any page, is kept: tests hold it to nothing.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';
import { patience, tokens } from './stage.mjs';

const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'];

export const complaints = []; // of the console, scripts and the content security policy
export const foreign = []; // requests to anywhere else
export const dialogs = []; // alert() and the like

export const browser = () => chromium.launch({ executablePath: '/usr/bin/chromium', headless: true, args: flags });

/** A page of a browser of its own: nobody is logged in. */
export async function new_page(running, url, options = {}) {
    const context = await running.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-US', colorScheme: 'light', reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    page.expected = []; // statuses of answers that this test provokes, which Chromium reports as errors
    page.on('console', (message) => {
        if (message.type() !== 'error' && message.type() !== 'warning') return;
        if (page.expected.some((one) => message.text().includes(one))) return;
        complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => complaints.push(String(error.stack)));
    page.on('dialog', async (dialog) => {
        dialogs.push(dialog.message());
        await dialog.dismiss();
    });
    page.on('request', (request) => {
        if (!request.url().startsWith(url) && !request.url().startsWith('data:')) foreign.push(request.url());
    });
    await page.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
    });
    page.home = url;
    return page;
}

export async function log_in(page, role = 'operator') {
    await page.goto(page.home);
    await page.getByLabel('Token').fill(tokens[role]);
    await page.keyboard.press('Enter');
    await page.locator('.tile').first().waitFor();
}

/** Shows a place of the console, as its links do, and returns when the page has seen that. */
export const visit = (page, place) => page.evaluate(async (hash) => {
    if (location.hash === hash) return;
    const seen = new Promise((done) => addEventListener('hashchange', done, { once: true }));
    location.hash = hash;
    await seen;
}, `#/${place}`);

/** The list is there, and nothing is being loaded. */
export async function settled(page) {
    await page.locator('.list:not([aria-busy]) tbody tr, .list:not([aria-busy]) .empty').first().waitFor();
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds that keeps people out: "rule: where". By the debugger, as the page's policy allows no script. */
export async function barriers(page) {
    await page.evaluate(axe);
    const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
    return found.violations.filter((one) => ['serious', 'critical', 'moderate'].includes(one.impact))
        .flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target.join(' ')} (${node.failureSummary.split('\n')[1] ?? ''})`));
}
