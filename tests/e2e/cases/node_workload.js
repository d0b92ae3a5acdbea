// SPDX-License-Identifier: Apache-2.0
// One exercise of Node by name; throws on a wrong result, prints 'NAME: what was done' as its last act.
'use strict';
const assert = require('assert');
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
const big = process.argv[3] !== '0';

const parts = {
	async workers() {
		const count = big ? 8 : 3;
		const shared = new SharedArrayBuffer(8);
		const counter = new Int32Array(shared);
		const sums = await Promise.all(Array.from({ length: count }, (_, n) => new Promise((resolve, reject) => {
			const worker = new Worker(__filename, { workerData: { n, shared } });
			let answer;
			worker.on('message', (m) => { answer = m; });
			worker.on('error', reject);
			worker.on('exit', (code) => (code ? reject(new Error(`exit ${code}`)) : resolve(answer)));
		})));
		assert.deepStrictEqual(sums, Array.from({ length: count }, (_, n) => n * 1000));
		assert.strictEqual(Atomics.load(counter, 0), count * 1000);
		return `${count} worker threads, ${count * 1000} atomic increments`;
	},

	async children() {
		const { spawnSync, spawn, execFileSync, fork } = require('child_process');
		assert.strictEqual(execFileSync('tr', ['a-z', 'A-Z'], { input: 'hello' }).toString(), 'HELLO');
		assert.strictEqual(spawnSync('sh', ['-c', 'exit 77']).status, 77);
		assert.strictEqual(spawnSync('sh', ['-c', 'kill -9 $$']).signal, 'SIGKILL');
		assert.strictEqual(spawnSync('/nonexistent').error.code, 'ENOENT');
		assert.strictEqual(spawnSync('sleep', ['20'], { timeout: 300 }).signal, 'SIGTERM');
		const size = big ? 1 << 20 : 1 << 16;
		const cat = spawn('cat');
		let got = 0;
		cat.stdout.on('data', (d) => { got += d.length; });
		cat.stdin.end(Buffer.alloc(size, 'x'));
		await new Promise((resolve) => cat.on('close', resolve));
		assert.strictEqual(got, size);
		const child = fork(__filename, ['echo']);
		const answer = await new Promise((resolve) => { child.on('message', resolve); child.send({ n: 20 }); });
		assert.deepStrictEqual(answer, { n: 21 });
		const code = await new Promise((resolve) => { child.on('exit', resolve); child.disconnect(); });
		assert.strictEqual(code, 0);
		return 'spawn, execFile, time-out, 1 MiB through cat, fork with messages';
	},

	async echo() { // the other end of fork()
		process.on('message', (m) => process.send({ n: m.n + 1 }));
		await new Promise((resolve) => process.on('disconnect', resolve));
		return 'end';
	},

	async files() {
		const fs = require('fs');
		const path = require('path');
		const dir = fs.mkdtempSync(path.join(process.env.WORK || require('os').tmpdir(), 'node-'));
		await Promise.all(Array.from({ length: 30 }, (_, n) => fs.promises.writeFile(path.join(dir, `f${n}`), 'x'.repeat(n))));
		const sizes = await Promise.all(fs.readdirSync(dir).map(async (f) => (await fs.promises.stat(path.join(dir, f))).size));
		assert.strictEqual(sizes.reduce((a, b) => a + b), 435);
		const watcher = fs.watch(dir);
		const seen = new Promise((resolve) => watcher.once('change', (_, name) => resolve(name)));
		fs.writeFileSync(path.join(dir, 'new'), 'new');
		assert.strictEqual(await seen, 'new');
		watcher.close();
		fs.rmSync(dir, { recursive: true });
		assert(!fs.existsSync(dir));
		assert.strictEqual(fs.realpathSync('/proc/self/exe'), fs.realpathSync(process.execPath));
		const hash = require('crypto').createHash('sha256').update('').digest('hex');
		assert(hash.startsWith('e3b0c44298fc1c14'));
		return 'files by the thread pool, inotify, /proc/self/exe, sha256';
	},

	async http() {
		const http = require('http');
		const server = http.createServer((req, res) => res.end(`you asked ${req.url}`));
		await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
		const port = server.address().port;
		const count = big ? 100 : 20;
		const answers = await Promise.all(Array.from({ length: count }, (_, n) => new Promise((resolve, reject) => {
			http.get({ port, host: '127.0.0.1', path: `/${n}` }, (res) => {
				let text = '';
				res.on('data', (d) => { text += d; });
				res.on('end', () => resolve(text));
			}).on('error', reject);
		})));
		answers.forEach((a, n) => assert.strictEqual(a, `you asked /${n}`));
		server.close();
		return `${count} requests on loopback`;
	},

	async signals() {
		const got = [];
		process.on('SIGUSR2', () => got.push('usr2'));
		process.on('SIGTERM', () => got.push('term'));
		process.kill(process.pid, 'SIGUSR2');
		process.kill(process.pid, 'SIGTERM');
		await new Promise((resolve) => setTimeout(resolve, 200));
		assert.deepStrictEqual(got.sort(), ['term', 'usr2']);
		return 'SIGUSR2 and SIGTERM handled';
	},
};

if (isMainThread) {
	const name = process.argv[2];
	parts[name]().then((what) => { if (name !== 'echo') console.log(`${name}: ${what}`); },
		(error) => { console.log(error); process.exitCode = 1; });
} else {
	const counter = new Int32Array(workerData.shared);
	let sum = 0;
	for (let i = 0; i < 1000; i++) {
		Atomics.add(counter, 0, 1);
		sum += workerData.n;
	}
	parentPort.postMessage(sum);
}
