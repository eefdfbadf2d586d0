// Drives the console in Chromium, against a sidecar with its table and its broker: what an operator sees and does.
//
//   check.mjs SIDECAR WORK SCREENSHOTS SOURCES [PART-OF-A-PROMISE]
//
// SOURCES is the folder sidecar/console.
// Ends with the line "N passed, N failed".
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { barriers, browser, complaints, dialogs, foreign, log_in, new_page, settled, visit } from './page.mjs';
import { broker, eventually, Promises, quoted, Sidecar, sql, tokens } from './stage.mjs';

const [program, work, screenshots, sources, wanted] = process.argv.slice(2);
await mkdir(screenshots, { recursive: true });

const hostile = `<img src=x onerror="alert(1)">`;
const right_to_left = '\u202Eevil-\u0645\u0631\u062D\u0628\u0627';
const awkward = 'a/b?c#d %2f&e=1+2';
const longest = 'x'.repeat(250);

const count = async (condition) => Number((await sql(`SELECT COUNT(*) FROM msg_log WHERE ${condition}`))[0][0]);
const all = (condition, many, what) => eventually(`${many} rows ${what}`, async () => await count(condition) === many);

async function insert(many, { id = (i) => null, exchange, key = 'order.created', body = '{"order": 1}', headers = null, properties = null, next = null }) {
    const columns = ['msg', 'exchange', 'routing_key', 'headers', 'properties'];
    const rows = Array.from({ length: many }, (unused, i) => {
        const values = [Buffer.isBuffer(body) ? `x'${body.toString('hex')}'` : quoted(body), quoted(exchange), quoted(key),
            headers === null ? 'NULL' : quoted(headers), properties === null ? 'NULL' : quoted(properties)];
        values.push(id(i) === null ? 'UUID()' : quoted(id(i)), next === null ? '0' : `(UNIX_TIMESTAMP() + ${next}) * 1000`);
        return `(${values.join(', ')})`;
    });
    await sql(`INSERT INTO msg_log (${columns.join(', ')}, id, next_try_time) VALUES ${rows.join(',\n')}`);
}

const settings = {
    topology: {
        exchanges: [{ name: 'orders', type: 'topic' }, { name: 'shipping', type: 'topic' }],
        queues: [{ name: 'parcels' }], bindings: [{ exchange: 'shipping', queue: 'parcels', routing_key: '#' }],
    },
    retry: { strategy: 'fixed', initial: '100ms', max_retries: 0 },
    dead_letters: [{ queue: 'parcels.dead', interval: '1h', paused: true, rate: 50 }],
};

async function fill() {
    await sql('ALTER TABLE msg_log MODIFY msg LONGBLOB NOT NULL');
    await broker('bury', 'work', 'parcels.dead', 5);
    await insert(60, { exchange: 'shipping', key: 'parcel.sent', id: (i) => `delivered-${String(i).padStart(2, '0')}` });
    await insert(40, { exchange: 'orders', id: (i) => `noroute-${String(i).padStart(2, '0')}` });
    await insert(6, { exchange: 'nowhere', id: (i) => `nowhere-${i}` });
    await insert(1, { exchange: 'orders', id: () => 'edit-me', headers: '[1]', body: '{"total": 99.90, "big": 9007199254740993}' });
    await insert(1, { exchange: 'orders', id: () => 'edit-later', headers: '[1]' });
    await insert(2, { exchange: 'shipping', key: 'later', next: 86_400, id: (i) => `waiting-${i}` });
    const body = `<script>alert(2)</script>${hostile}`;
    for (const id of [hostile, right_to_left, awkward, longest])
        await insert(1, { exchange: 'shipping', key: hostile, id: () => id, body, headers: JSON.stringify({ [hostile]: body }) });
    await insert(1, { exchange: hostile, key: hostile, id: () => 'hostile-exchange', body: JSON.stringify({ [hostile]: body }) });
    await insert(1, { exchange: 'shipping', id: () => 'binary', body: Buffer.from([0, 1, 2, 255, 254, 60, 62]) });
    await insert(1, { exchange: 'shipping', id: () => 'large', body: JSON.stringify({ text: 'y'.repeat(200_000) }) });
    await insert(1, { exchange: 'shipping', id: () => 'exact', body: '{"big": 9007199254740993, "price": 1.10}',
        headers: '{"x-number": 9007199254740993}', properties: '{"priority": 5}' });
    await all("status = 1", 67, 'delivered');
    await all("status = 2", 49, 'failed');
    await sql("UPDATE msg_log SET status = 3 WHERE id = 'delivered-00'");
}

const sidecar = new Sidecar(program, work);
let running, page, current;
const shot = (name) => current.screenshot({ path: `${screenshots}/${name}.png` });
// What one leaves open must not stand in the way of the next.
const promises = new Promises(async (promise) => {
    await shot(`failed: ${promise.replace(/[^a-z0-9]+/gi, ' ').trim()}`);
    await page.reload();
}, wanted);

const row = (id) => page.locator('tbody tr', { has: page.locator('.row-link', { hasText: id }) });
const drawer = () => page.locator('.drawer');
const dialog = () => page.locator('dialog[open]').last();
const in_dialog = (name) => dialog().getByRole('button', { name, exact: false });
const job_ends = (state) => page.locator('.jobs-panel .job').first().locator(`.job-state.${state}`).waitFor();

async function open_list(query) {
    await visit(page, query);
    await settled(page);
}

async function promises_of_the_login() {
    await promises.check('every file is served as it is in the sources, and its policy allows nothing else', async () => {
        const names = await readdir(sources);
        assert.ok(names.length > 30);
        for (const name of names) {
            const answer = await fetch(`${sidecar.url}${name === 'index.html' ? '' : `console/${name}`}`);
            assert.equal(answer.status, 200, name);
            assert.equal(await answer.text(), await readFile(`${sources}/${name}`, 'utf8'), name);
            assert.match(answer.headers.get('Content-Security-Policy'), /^default-src 'none'; script-src 'self';/, name);
        }
    });
    await promises.check('without a token the page asks for one and shows nothing else', async () => {
        current = page = await new_page(running, sidecar.url);
        await page.goto(page.home);
        await page.getByLabel('Token').waitFor();
        assert.equal(await page.locator('.tile, .rail').count(), 0);
        await shot('login');
    });
    await promises.check('a wrong token is told, and the right one lets in', async () => {
        page.expected = ['401'];
        await page.getByLabel('Token').fill('not-the-token');
        await page.keyboard.press('Enter');
        await page.getByText('No such token.').waitFor();
        await page.keyboard.press('Escape');
        await page.getByLabel('Token').fill(tokens.operator);
        await page.keyboard.press('Enter');
        await page.locator('.tile').first().waitFor();
        page.expected = [];
        assert.equal(await page.getByText('alice').count(), 1);
    });
    await promises.check('a viewer sees all and can change nothing', async () => {
        const viewer = current = await new_page(running, sidecar.url);
        await log_in(viewer, 'viewer');
        assert.ok(await viewer.getByRole('button', { name: 'Pause' }).isDisabled());
        await visit(viewer, 'messages?status=2&open=noroute-00');
        await viewer.locator('.drawer .error-box').waitFor();
        for (const name of ['Retry', 'Delete', 'Edit and send']) {
            const buttons = viewer.getByRole('button', { name });
            assert.ok(await buttons.count() > 0, name);
            for (const one of await buttons.all()) assert.ok(await one.isDisabled(), name);
        }
        // The buttons are a courtesy: the server refuses, too.
        const status = await viewer.evaluate(async () => {
            const { csrf } = await (await fetch('/api/v1/session')).json();
            const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf };
            return (await fetch('/api/v1/messages/retry', { method: 'POST', headers, body: '{"ids": ["noroute-00"]}' })).status;
        }).catch(String);
        assert.equal(status, 403);
        complaints.splice(0, complaints.length, ...complaints.filter((one) => !one.includes('403')));
        assert.equal(await count("id = 'noroute-00' AND status = 2"), 1);
        await viewer.getByRole('button', { name: 'Log out' }).click();
        await viewer.getByLabel('Token').waitFor();
        await viewer.context().close();
        current = page;
    });
}

async function promises_of_looking() {
    await promises.check('the overview shows what the table holds, and draws it over time', async () => {
        await visit(page, 'overview');
        const tile = (name) => page.locator('.tile', { has: page.getByText(name, { exact: true }) }).locator('.tile-value');
        await eventually('49 failed', async () => await tile('failed').textContent() === '49');
        assert.equal(await tile('delivered').textContent(), '66');
        assert.equal(await tile('consumed').textContent(), '1');
        await page.getByText('Connected', { exact: true }).waitFor();
        await eventually('a line', async () => (await page.locator('.chart .line').first().getAttribute('d')).length > 5);
        await shot('overview');
        await page.locator('.chart-frame').first().focus();
        await page.keyboard.press('ArrowLeft');
        await eventually('a read-out', async () => /due/.test(await page.locator('.chart-card [aria-live]').first().textContent()));
        await page.getByRole('button', { name: 'As tables' }).click();
        assert.ok(await page.locator('.chart-table tbody tr').count() > 0);
        await page.getByRole('button', { name: 'As tables' }).click();
    });
    await promises.check('a filter is in the address: reload keeps it, back undoes it', async () => {
        await open_list('messages');
        await page.getByLabel('Status', { exact: true }).selectOption('2');
        await page.waitForURL(/status=2/);
        await page.getByLabel('Exchange', { exact: true }).fill('nowhere');
        await page.keyboard.press('Enter');
        await page.waitForURL(/exchange=nowhere/);
        await eventually('6 rows', async () => await page.locator('tbody tr').count() === 6);
        await page.reload();
        await settled(page);
        assert.equal(await page.locator('tbody tr').count(), 6);
        assert.equal(await page.getByLabel('Exchange', { exact: true }).inputValue(), 'nowhere');
        await page.goBack();
        await eventually('more rows', async () => await page.locator('tbody tr').count() > 6);
        assert.equal(await page.getByLabel('Exchange', { exact: true }).inputValue(), '');
        await page.getByLabel('Exchange', { exact: true }).fill('""');
        await page.keyboard.press('Enter');
        await page.getByText('Nothing matches.').waitFor();
        await page.getByRole('button', { name: 'Clear' }).click();
        await settled(page);
        assert.match(page.url(), /#\/messages$/);
    });
    await promises.check('older rows are a page away, and so is the way back', async () => {
        await open_list('messages');
        assert.equal(await page.locator('tbody tr').count(), 50);
        const first = await page.locator('.row-link').first().textContent();
        await page.getByRole('link', { name: 'Older' }).click();
        await eventually('the next page', async () => await page.locator('.row-link').first().textContent() !== first);
        await settled(page);
        await page.getByRole('link', { name: 'Newest' }).click();
        await eventually('the first page', async () => await page.locator('.row-link').first().textContent() === first);
        await page.getByRole('button', { name: 'Count them' }).click();
        await page.getByText(`${await count('1')} match.`).waitFor();
        await shot('messages');
    });
    await promises.check('a message is shown whole, its numbers as they were written', async () => {
        await open_list('messages?id_prefix=exact');
        await row('exact').click();
        await drawer().getByText('"x-number": 9007199254740993').waitFor();
        const text = await drawer().textContent();
        for (const part of ['"big": 9007199254740993', '"price": 1.10', '"priority": 5', 'shipping', 'Created', 'Delivered'])
            assert.ok(text.includes(part), part);
        await shot('message');
        await page.keyboard.press('Escape');
        await drawer().waitFor({ state: 'hidden' });
    });
    await promises.check('bytes are shown in hex, and a large body in part until all is asked for', async () => {
        await visit(page, 'messages?open=binary');
        await drawer().getByText('000000  00 01 02 ff fe 3c 3e').waitFor();
        await visit(page, 'messages?open=large');
        await drawer().getByRole('button', { name: 'Show all' }).click();
        await eventually('all of it', async () => (await drawer().locator('.payload').last().textContent()).length > 200_000);
    });
    await promises.check('hostile content is text, wherever it stands', async () => {
        for (const id of [hostile, right_to_left, awkward, longest]) {
            await open_list(`messages?${new URLSearchParams({ id_prefix: id })}`);
            await page.locator('tbody .row-link').click();
            await drawer().getByText('<script>alert(2)</script>').first().waitFor();
            assert.equal(await drawer().locator('h2').textContent(), id);
        }
        await open_list(`messages?${new URLSearchParams({ exchange: hostile, open: 'hostile-exchange' })}`);
        await drawer().locator('.json-key').first().waitFor();
        await visit(page, 'failures');
        await page.locator('td', { hasText: hostile }).first().waitFor();
        await shot('hostile');
        assert.equal(await page.locator('main img, main script, .drawer img').count(), 0);
        assert.deepEqual(dialogs, []);
    });
    await promises.check('the keys walk, select, open and close', async () => {
        await open_list('messages?status=2');
        await page.locator('h1').focus();
        await page.keyboard.press('j');
        await page.keyboard.press('j');
        await page.keyboard.press('x');
        await page.keyboard.press('j');
        await page.keyboard.press('k');
        assert.ok(await page.locator('tbody tr').nth(1).locator('input').isChecked());
        await page.getByText('1 selected').waitFor();
        await page.keyboard.press('Enter');
        await drawer().locator('.error-box').waitFor();
        const opened = page.url();
        await page.keyboard.press('j');
        await eventually('the next is open', () => page.url() !== opened);
        await page.keyboard.press('Escape');
        await drawer().waitFor({ state: 'hidden' });
        await page.keyboard.press('Escape');
        await page.getByText('1 selected').waitFor({ state: 'hidden' });
        await page.keyboard.press('/');
        assert.equal(await page.evaluate(() => document.activeElement.name), 'exchange');
        await page.keyboard.type('gm?');
        assert.equal(await page.getByLabel('Exchange', { exact: true }).inputValue(), 'gm?');
        await page.getByLabel('Exchange', { exact: true }).fill('');
        await page.keyboard.press('Escape');
        for (const [key, place] of [['o', 'overview'], ['f', 'failures'], ['d', 'dead-letters'], ['r', 'lanes'], ['c', 'configuration'], ['m', 'messages']]) {
            await page.keyboard.press('g');
            await page.keyboard.press(key);
            await page.waitForURL(new RegExp(`#/${place}`));
        }
        await page.keyboard.press('?');
        await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
        await page.keyboard.press('Escape');
        await dialog().waitFor({ state: 'hidden' });
    });
    await promises.check('lanes and configuration are shown, without the passwords', async () => {
        // What is typed and not yet applied holds nobody back.
        await page.keyboard.press('/');
        await page.keyboard.type('typed');
        await visit(page, 'lanes');
        await page.getByText('0 of 1').waitFor();
        await visit(page, 'configuration');
        await page.getByRole('heading', { name: 'dead_letters' }).waitFor();
        const text = await page.locator('main').textContent();
        assert.ok(text.includes('parcels.dead'));
        assert.ok(!text.includes('outbox:outbox@'), 'the password of the database');
        await page.getByLabel('Find a setting').fill('max_retries');
        await eventually('one section', async () => await page.locator('.settings .card:visible').count() === 1);
        await page.getByLabel('Find a setting').fill('');
        await shot('configuration');
    });
}

async function promises_of_doing() {
    await promises.check('deleting asks first, and then takes only what was selected', async () => {
        await open_list('messages?id_prefix=nowhere');
        await row('nowhere-1').getByRole('checkbox').click();
        await row('nowhere-2').getByRole('checkbox').click();
        await page.locator('.selection-bar').getByRole('button', { name: 'Delete' }).click();
        await dialog().getByText('Delete 2 messages?').waitFor();
        await in_dialog('Cancel').click();
        await dialog().waitFor({ state: 'hidden' });
        assert.equal(await count("id LIKE 'nowhere-%'"), 6);
        await page.locator('.selection-bar').getByRole('button', { name: 'Delete' }).click();
        await in_dialog('Delete').click();
        await page.getByText('2 deleted.').waitFor();
        assert.deepEqual((await sql("SELECT id FROM msg_log WHERE id LIKE 'nowhere-%' ORDER BY id")).flat(), ['nowhere-0', 'nowhere-3', 'nowhere-4', 'nowhere-5']);
        await eventually('4 rows', async () => await page.locator('tbody tr').count() === 4);
    });
    await promises.check('what is left as it is, is named with the reason', async () => {
        await open_list('messages?id_prefix=delivered-0');
        await page.getByLabel('Select all on this page').check();
        await page.locator('.selection-bar').getByRole('button', { name: 'Retry' }).click();
        await in_dialog('Retry').click();
        await page.getByRole('heading', { name: '10 left as they are' }).waitFor();
        assert.ok((await dialog().textContent()).includes('delivered-01'));
        await page.keyboard.press('Escape');
    });
    await promises.check('one failed message is retried, and delivered once there is a route', async () => {
        await broker('bind', 'orders', 'order.created', 'orders.created');
        await open_list('messages?status=2&id_prefix=noroute-00&open=noroute-00');
        await drawer().getByRole('button', { name: 'Retry' }).click();
        await in_dialog('Retry').click();
        await page.getByText('1 message put back to be delivered.').waitFor();
        await all("id = 'noroute-00' AND status = 1", 1, 'delivered');
        assert.equal(await broker('length', 'orders.created'), '1');
        await page.keyboard.press('u');
        await drawer().locator('.badge.delivered').waitFor();
    });
    await promises.check('a group of failures is retried by a job, to its end', async () => {
        await visit(page, 'failures');
        const group = page.locator('tbody tr', { hasText: 'NO_ROUTE' });
        await group.first().waitFor();
        assert.equal(await group.locator('.count-number').textContent(), '39');
        await shot('failures');
        await group.getByRole('button', { name: 'Retry' }).click();
        await dialog().getByText('39 match.').waitFor();
        await shot('retry-group');
        await in_dialog('Retry 39').click();
        await job_ends('done');
        await all("id LIKE 'noroute-%' AND status = 1", 40, 'delivered');
        assert.equal(await broker('length', 'orders.created'), '40');
        await eventually('the group is gone', async () => await group.count() === 0);
        await shot('job');
        await page.keyboard.press('Escape');
    });
    await promises.check('all that a filter matches is deleted by a job, and nothing else', async () => {
        const others = await count("id NOT LIKE 'delivered-3%'");
        await open_list('messages?id_prefix=delivered-3');
        assert.ok(await page.getByRole('button', { name: 'Delete all that match' }).isDisabled(), 'without a status');
        await open_list('messages?status=1&id_prefix=delivered-3');
        await page.getByRole('button', { name: 'Delete all that match' }).click();
        await dialog().getByText('10 match.').waitFor();
        await in_dialog('Delete 10').click();
        await eventually('they are gone', async () => await count("id LIKE 'delivered-3%'") === 0);
        assert.equal(await count("id NOT LIKE 'delivered-3%'"), others);
        await page.getByText('Nothing matches.').waitFor();
        await page.keyboard.press('Escape');
    });
    await promises.check('a failed message is edited and sent: bad JSON never leaves the page', async () => {
        await broker('bind', 'orders', 'order.mended', 'orders.mended');
        await open_list('messages?status=2&open=edit-me');
        await drawer().getByRole('button', { name: 'Edit and send' }).click();
        await dialog().getByLabel('Routing key').fill('order.mended');
        await dialog().getByLabel('Headers').fill('{"x": ');
        await in_dialog('Save and send').click();
        await dialog().getByText('No JSON').waitFor();
        assert.equal(await count("id = 'edit-me' AND status = 2 AND routing_key = 'order.created'"), 1);
        await dialog().getByLabel('Headers').fill('{"x-number": 9007199254740993}');
        // Nobody loses what was typed to an Esc.
        await page.keyboard.press('Escape');
        await dialog().waitFor({ state: 'hidden' });
        await drawer().getByRole('button', { name: 'Edit and send' }).click();
        assert.equal(await dialog().getByLabel('Routing key').inputValue(), 'order.mended');
        await shot('edit');
        await in_dialog('Save and send').click();
        await page.getByText('Saved, and put back to be delivered.').waitFor();
        await all("id = 'edit-me' AND status = 1", 1, 'delivered');
        const sent = JSON.parse((await broker('take', 'orders.mended')).replace('9007199254740993}', '"9007199254740993"}'));
        assert.deepEqual(sent, { id: 'edit-me', headers: { 'x-number': '9007199254740993' }, body: '{"total": 99.90, "big": 9007199254740993}' });
    });
    await promises.check('the ledger is shown by reason and by entry; an entry is retried and deleted', async () => {
        await visit(page, 'failures?by=ledger');
        await page.locator('tbody tr', { hasText: 'NO_ROUTE' }).first().waitFor();
        await page.locator('tbody tr', { hasText: 'NO_ROUTE' }).first().locator('.row-link').click();
        await page.waitForURL(/by=entries/);
        await settled(page);
        assert.ok(await page.locator('tbody tr').count() >= 40);
        await open_list('failures?by=entries&message_id=nowhere-3');
        await page.locator('tbody .row-link').click();
        await drawer().locator('.error-box').waitFor();
        await shot('ledger');
        await drawer().getByRole('button', { name: 'Retry' }).click();
        await in_dialog('Retry').click();
        await page.getByText('1 message put back to be delivered.').waitFor();
        await eventually('it fails again', async () => Number((await sql("SELECT COUNT(*) FROM sys_mq_fail WHERE custom_message_id = 'nowhere-3'"))[0][0]) === 2);
        await page.keyboard.press('u');
        await eventually('both entries', async () => await page.locator('tbody tr').count() === 2);
        await page.getByLabel('Select all on this page').check();
        await page.locator('.selection-bar').getByRole('button', { name: 'Delete' }).click();
        await in_dialog('Delete').click();
        await page.getByText('2 deleted.').last().waitFor();
        assert.equal(Number((await sql("SELECT COUNT(*) FROM sys_mq_fail WHERE custom_message_id = 'nowhere-3'"))[0][0]), 0);
        assert.equal(await count("id = 'nowhere-3'"), 1);
    });
    await promises.check('dead letters are looked at before they are redriven, and then are where they died', async () => {
        await visit(page, 'dead-letters');
        const card = page.locator('.queue', { hasText: 'parcels.dead' });
        await eventually('5 waiting', async () => (await card.locator('.big').textContent()).startsWith('5'));
        await shot('dead-letters');
        await card.getByRole('button', { name: 'Redrive' }).click();
        await dialog().getByText('5 looked at.').waitFor();
        assert.equal(await broker('length', 'parcels.dead'), '5');
        await dialog().getByLabel('At most').fill('4');
        await dialog().getByLabel('Per second').fill('50');
        await dialog().getByText('4 looked at.').waitFor();
        await shot('redrive');
        await in_dialog('Redrive').click();
        await job_ends('done');
        await eventually('4 are back', async () => await broker('length', 'work') === '4' && await broker('length', 'parcels.dead') === '1');
        await page.keyboard.press('Escape');
    });
    await promises.check('a pause asks first, holds messages back, and is shown everywhere', async () => {
        await visit(page, 'overview');
        await page.getByRole('button', { name: 'Pause' }).click();
        await dialog().getByText('Messages wait in the table').waitFor();
        await in_dialog('Pause').click();
        await page.locator('.state', { hasText: 'Relay' }).getByText('Paused').waitFor();
        await insert(1, { exchange: 'shipping', key: 'held', id: () => 'held' });
        await visit(page, 'messages?id_prefix=held');
        await page.locator('.chip', { hasText: 'paused' }).waitFor();
        assert.equal(await count("id = 'held' AND status = 0"), 1);
        await visit(page, 'overview');
        await page.getByRole('button', { name: 'Resume' }).click();
        await in_dialog('Resume').click();
        await all("id = 'held' AND status = 1", 1, 'delivered');
    });
}

async function promises_of_looks() {
    const places = ['overview', 'messages', 'messages?status=2&open=edit-later', 'failures', 'failures?by=ledger', 'failures?by=entries', 'dead-letters', 'lanes', 'configuration'];
    const name_of = (place) => place.replace(/[^a-z-]+/g, '-');
    const arrive = async (at, place) => {
        await visit(at, place);
        await at.locator('.tile, .rows, .card, .queue, .empty').first().waitFor();
        await at.waitForLoadState('networkidle').catch(() => {});
    };
    for (const [name, options] of [['light', {}], ['dark', { colorScheme: 'dark' }], ['phone', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }], ['chinese', { locale: 'zh-CN' }]]) {
        await promises.check(`${name}: no barriers, and no place wider than the screen`, async () => {
            const at = current = await new_page(running, sidecar.url, options);
            await at.goto(at.home);
            await at.locator('#token').fill(tokens.operator);
            await at.keyboard.press('Enter');
            await at.locator('.tile').first().waitFor();
            const found = [];
            for (const place of places) {
                await arrive(at, place);
                found.push(...(await barriers(at)).map((one) => `${place}: ${one}`));
                const room = at.viewportSize().width;
                const wide = await at.evaluate((most) => {
                    const main = document.querySelector('main');
                    return Math.max(document.documentElement.scrollWidth - most, main.scrollWidth - main.clientWidth);
                }, room);
                if (wide > 0) found.push(`${place}: ${wide} px wider than ${room}`);
                await at.screenshot({ path: `${screenshots}/${name}-${name_of(place)}.png` });
            }
            assert.deepEqual(found, []);
            if (name === 'dark') assert.equal(await at.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(14, 16, 20)');
            if (name === 'chinese') {
                assert.equal(await at.evaluate(() => document.documentElement.lang), 'zh-CN');
                assert.equal(await at.title(), '配置 · outbox-sidecar');
            }
            await at.context().close();
            current = page;
        });
    }
    await promises.check('dialogs have no barriers either', async () => {
        await open_list('messages?status=2&open=edit-later');
        await drawer().getByRole('button', { name: 'Edit and send' }).click();
        assert.deepEqual(await barriers(page), []);
        await page.keyboard.press('Escape');
        await page.keyboard.press('?');
        assert.deepEqual(await barriers(page), []);
        await page.keyboard.press('Escape');
    });
    await promises.check('language and colours are chosen, and remembered', async () => {
        await page.getByLabel('Language').selectOption('zh-CN');
        await page.getByRole('link', { name: '消息', exact: true }).waitFor();
        await page.getByRole('button', { name: '颜色：跟随系统' }).click();
        await page.getByRole('button', { name: '颜色：浅色' }).click();
        await page.reload();
        await page.getByRole('button', { name: '颜色：深色' }).waitFor();
        assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(14, 16, 20)');
        await page.getByRole('button', { name: '颜色：深色' }).click();
        await page.getByLabel('语言').selectOption('en');
        await page.getByRole('link', { name: 'Messages', exact: true }).waitFor();
    });
    await promises.check('both languages have words for the same', async () => {
        const [english, chinese] = await page.evaluate(async () =>
            (await Promise.all(['en', 'zh'].map((one) => import(`/console/words_${one}.js`)))).map(({ words }) =>
                Object.entries(words).map(([name, one]) => `${name}: ${typeof one}`).sort()));
        assert.deepEqual(chinese, english);
        assert.ok(english.length > 200);
    });
}

async function promises_of_trouble() {
    await promises.check('while the sidecar is away the page says so; what is typed outlives it, and its session', async () => {
        page.expected = ['ERR_CONNECTION_REFUSED', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE', '401'];
        await open_list('messages?status=2&open=edit-later');
        await drawer().getByRole('button', { name: 'Edit and send' }).click();
        await dialog().getByLabel('Headers').fill('{"typed": true}');
        await sidecar.stop();
        await in_dialog('Save and send').click();
        await dialog().getByText('The connection was lost before the answer came').waitFor();
        await page.locator('.banner').getByText('The sidecar does not answer.').waitFor();
        await shot('unreachable');
        await sidecar.start();
        await page.getByLabel('Token').fill(tokens.operator);
        await page.keyboard.press('Enter');
        await page.locator('.banner').waitFor({ state: 'hidden' });
        assert.equal(await dialog().getByLabel('Headers').inputValue(), '{"typed": true}');
        await in_dialog('Save and send').click();
        await page.getByText('Saved, and put back to be delivered.').waitFor();
        await all("id = 'edit-later' AND status = 1", 1, 'delivered');
        assert.deepEqual(await sql("SELECT JSON_EXTRACT(headers, '$.typed') FROM msg_log WHERE id = 'edit-later'"), [['true']]);
        page.expected = [];
    });
    await promises.check('nothing was asked of any other host, and the browser had nothing to complain of', async () => {
        assert.deepEqual(foreign, []);
        assert.deepEqual(dialogs, []);
        assert.deepEqual(complaints, []);
    });
    await promises.check('who tries token after token is told to wait', async () => {
        const stranger = current = await new_page(running, sidecar.url);
        await stranger.goto(stranger.home);
        for (let tries = 0; tries < 40; ++tries) {
            await stranger.getByLabel('Token').fill(`guess-${tries}`);
            await stranger.keyboard.press('Enter');
            await stranger.locator('#token-trouble:not([hidden])').waitFor();
            if (/Too many wrong tokens/.test(await stranger.locator('#token-trouble').textContent())) return;
        }
        assert.fail('40 wrong tokens, and no end');
    });
}

let outcome = 1;
try {
    await sidecar.configure(settings);
    await sidecar.migrate();
    await sidecar.start();
    await fill();
    running = await browser();
    current = page = await new_page(running, sidecar.url);
    await promises_of_the_login();
    if (wanted) await log_in(page);
    await promises_of_looking();
    await promises_of_doing();
    await promises_of_looks();
    await promises_of_trouble();
    outcome = promises.broken > 0 || promises.kept === 0 ? 1 : 0;
} catch (error) {
    console.log(`FAILED: ${error.stack}`);
    ++promises.broken;
} finally {
    await running?.close();
    await sidecar.stop();
}
console.log(`${promises.kept} passed, ${promises.broken} failed`);
process.exit(outcome);
