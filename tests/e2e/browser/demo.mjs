// `souk demo --json` for a test in Node: started, found, ended; and Chromium to look at it.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

export const ROOT = resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '../../..');
export const SOUK = resolve(process.env.SOUK ?? 'build/souk');
const MODULES = resolve(process.env.SOUK_BROWSER_MODULES ?? join(ROOT, '.cache/browser'));

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Polls until the condition holds; the bound is generous and only ends a hang. */
export async function waitFor(condition, seconds, what) {
	const end = Date.now() + seconds * 1000;
	for (;;) {
		const got = await condition();
		if (got) return got;
		if (Date.now() > end) throw new Error(`${what} did not happen within ${seconds} s`);
		await sleep(100);
	}
}

export const runSouk = (...args) => execFileSync(SOUK, args, { encoding: 'utf8', timeout: 60000 });

export class Demo {
	/** Ready, or an error with what it said. */
	static async start(...args) {
		const d = new Demo();
		d.tmp = mkdtempSync(join(tmpdir(), 'souk-e2e-'));
		mkdirSync(join(d.tmp, 'run'));
		d.stderr = '';
		d.process = spawn(SOUK, ['demo', '--json', ...args], { env: { ...process.env, TMPDIR: join(d.tmp, 'run') }, stdio: ['ignore', 'pipe', 'pipe'] });
		d.process.stderr.on('data', (t) => (d.stderr += t));
		d.ended = new Promise((done) => d.process.on('exit', (code) => done(code)));
		d.lines = [];
		const lines = createInterface({ input: d.process.stdout });
		lines.on('line', (l) => d.lines.push(JSON.parse(l)));
		await waitFor(() => d.lines.length || d.process.exitCode !== null, 120, 'the demo');
		if (!d.lines.length) throw new Error(`the demo ended before it was ready: ${d.stderr}`);
		d.ready = d.lines[0].ready;
		return d;
	}

	/** The configuration of its run, for other commands of souk. */
	get config() {
		const [folder] = readdirSync(join(this.tmp, 'run'));
		return join(this.tmp, 'run', folder, 'souk.yaml');
	}

	/** Pid of the child that runs this role. */
	child(name) {
		for (const entry of readdirSync('/proc').filter((e) => /^[0-9]+$/.test(e))) {
			try {
				const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
				const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
				if (Number(parent) !== this.process.pid || state === 'Z') continue;
				if (readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0')[1] === name) return Number(entry);
			} catch {
				// gone meanwhile
			}
		}
		return null;
	}

	async stop() {
		if (this.process.exitCode === null) this.process.kill('SIGINT');
		const code = await Promise.race([this.ended, sleep(90000).then(() => null)]);
		if (code === null) this.process.kill('SIGKILL');
		rmSync(this.tmp, { recursive: true, force: true });
		return { code, summary: this.lines[this.lines.length - 1]?.summary };
	}
}

const CHROMIUM = [process.env.SOUK_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

export async function chromium() {
	const { chromium: driver } = createRequire(join(MODULES, 'package.json'))('playwright-core');
	return driver.launch({
		executablePath: CHROMIUM.find((p) => p && existsSync(p)),
		args: ['--disable-dev-shm-usage', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
	});
}

/** What axe finds that is serious or critical, as texts. */
export async function serious(page) {
	const source = readFileSync(join(MODULES, 'node_modules/axe-core/axe.min.js'), 'utf8');
	await page.evaluate(`${source}; undefined`);
	const found = await page.evaluate(async () => (await globalThis.axe.run(document, { resultTypes: ['violations'] })).violations);
	return found.filter((v) => v.impact === 'serious' || v.impact === 'critical')
		.map((v) => `${v.impact} ${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target} ${n.failureSummary}`).join('; ')}`);
}
