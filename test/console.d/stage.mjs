// What the tests of the console stand on: the table, the broker and a sidecar with its API, and verdicts.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);
const { env } = process;
export const patience = 20_000; // ms

export const tokens = { operator: 'op-0123456789abcdef-alice', viewer: 'view-0123456789abcdef-victor' };

/** The first line of what `look` returns that is true, within the deadline. */
export async function eventually(what, look) {
    const deadline = Date.now() + patience;
    let last;
    do {
        try {
            last = await look();
            if (last) return last;
        } catch (error) {
            last = error;
        }
        await new Promise((done) => setTimeout(done, 50));
    } while (Date.now() < deadline);
    throw new Error(`${what}: not within ${patience / 1000} s; last: ${last}`);
}

/** Rows of a statement, each a list of texts. */
export async function sql(statement) {
    const child = spawn('mariadb', ['--no-defaults', '--protocol=tcp', '-h', env.OUTBOX_TEST_MYSQL_HOST, '-P', env.OUTBOX_TEST_MYSQL_PORT,
        '-u', env.OUTBOX_TEST_MYSQL_USER, '--default-character-set=utf8mb4', '-BN', 'shop'], { env: { ...env, MYSQL_PWD: env.OUTBOX_TEST_MYSQL_PASSWORD } });
    let output = '', complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text) => { output += text; });
    child.stderr.setEncoding('utf8').on('data', (text) => { complaints += text; });
    child.stdin.end(statement);
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`${statement.slice(0, 200)}: ${complaints}`);
    return output.split('\n').filter(Boolean).map((line) => line.split('\t'));
}

/** A text of SQL. */
export const quoted = (text) => `_utf8mb4 x'${Buffer.from(text).toString('hex')}'`;

export async function broker(...args) {
    const { stdout } = await run('/usr/bin/python3', [new URL('broker.py', import.meta.url).pathname, ...args.map(String)]);
    return stdout.trim();
}

async function free_port() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    return port;
}

export class Sidecar {
    constructor(program, work) {
        Object.assign(this, { program, work, log: `${work}/sidecar.log`, config: `${work}/sidecar.yaml` });
    }

    /** JSON is YAML, too. */
    async configure(settings) {
        this.port = await free_port();
        this.url = `http://127.0.0.1:${this.port}/`;
        await writeFile(`${this.work}/tokens`, `# role name token\noperator alice ${tokens.operator}\nviewer victor ${tokens.viewer}\n`, { mode: 0o600 });
        const document = {
            database: { url: env.OUTBOX_TEST_MYSQL_URL }, broker: { urls: [env.OUTBOX_TEST_AMQP_URL] },
            http: { api: `127.0.0.1:${this.port}`, access: { tokens_file: `${this.work}/tokens` } }, ...settings,
        };
        await writeFile(`${this.config}.new`, JSON.stringify(document, null, 1));
        await rename(`${this.config}.new`, this.config);
    }

    migrate() { return run(this.program, ['--config', this.config, 'migrate']); }

    async start() {
        const log = await open(this.log, 'a');
        this.child = spawn(this.program, ['--config', this.config, 'run'], { stdio: ['ignore', log.fd, log.fd] });
        await log.close();
        await writeFile(`${this.work}/sidecar.pid`, String(this.child.pid)); // for test/console, should this end early
        await eventually('the API answers', async () => {
            if (this.child.exitCode !== null) throw new Error(`the sidecar ended with ${this.child.exitCode}; see ${this.log}`);
            return (await fetch(`${this.url}api/v1/session`)).ok;
        });
    }

    async stop(how = 'SIGTERM') {
        if (!this.child || this.child.exitCode !== null || this.child.signalCode !== null) return;
        const ended = once(this.child, 'exit');
        this.child.kill(how);
        const timer = setTimeout(() => this.child.kill('SIGKILL'), 30_000);
        await ended;
        clearTimeout(timer);
        await rm(`${this.work}/sidecar.pid`, { force: true });
    }
}

/** Says of each promise whether it holds, and counts. */
export class Promises {
    kept = 0;
    broken = 0;

    constructor(on_failure, wanted) { Object.assign(this, { on_failure, wanted }); }

    async check(promise, test) {
        if (this.wanted && !promise.includes(this.wanted)) return;
        const began = Date.now();
        try {
            await test();
            ++this.kept;
            console.log(`ok      ${promise}   (${((Date.now() - began) / 1000).toFixed(1)} s)`);
        } catch (error) {
            ++this.broken;
            console.log(`FAILED: ${promise}\n        ${String(error.stack ?? error).replaceAll('\n', '\n        ')}`);
            await this.on_failure(promise).catch(() => {});
        }
    }
}
