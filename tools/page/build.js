// Builds the page: functions/portal/page/*.js and *.css become page/dist/app.js and style.css, with NOTICE.txt.
//
// node build.js          writes page/dist
// node build.js --check  exits 1 where page/dist is not what the sources give

import process from "node:process";
import {build} from "esbuild";
import {mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync} from "node:fs";
import {dirname, join, relative} from "node:path";
import {fileURLToPath} from "node:url";
import {gzipSync} from "node:zlib";

const HERE = dirname(fileURLToPath(import.meta.url));
const PAGE = join(HERE, "../../functions/portal/page");
const DIST = join(PAGE, "dist");
const PACKAGES = join(HERE, "node_modules");
const BANNER = "/* Assay's page, built from functions/portal/page by `make page`. Licences: NOTICE.txt */";
const MOST = 400_000; // bytes of all that is served, gzipped

/**
 * Return what is to lie in page/dist, by name.
 * @returns {Promise<Record<string, string>>}
 */
async function built() {
  const {outputFiles, metafile} = await build({
    entryPoints: {app: join(PAGE, "main.js"), style: join(PAGE, "style.css")},
    absWorkingDir: HERE, outdir: DIST, nodePaths: [PACKAGES],
    bundle: true, minify: true, write: false, metafile: true,
    format: "esm", target: ["chrome111", "firefox113", "safari16.4"], charset: "utf8", legalComments: "none",
    banner: {js: BANNER, css: BANNER}, logLevel: "error",
  });
  const files = outputFiles.map(({path, text}) => [relative(DIST, path), text]);
  return Object.fromEntries([...files, ["NOTICE.txt", notice(Object.keys(metafile.inputs))]]);
}

/**
 * Return the licences of the packages that the bundle holds.
 * @param {string[]} inputs
 */
function notice(inputs) {
  const names = new Set(inputs.flatMap(path => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  const each = [...names].sort().map(name => {
    const folder = join(PACKAGES, name);
    const {version, license} = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    const file = readdirSync(folder).find(found => /^licen[cs]e/i.test(found));
    if (!file) throw new Error(`${name} brings no licence text`);
    return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
  });
  const head = "Assay's page is licensed under Apache-2.0. Its script holds these packages:\n";
  return [head, ...each].join(`\n${"-".repeat(80)}\n\n`);
}

/** @param {Record<string, string>} files */
function differing(files) {
  const held = name => { try { return readFileSync(join(DIST, name), "utf8"); } catch { return undefined; } };
  const stray = readdirSync(DIST).filter(name => !(name in files));
  return [...Object.keys(files).filter(name => held(name) !== files[name]), ...stray];
}

const files = await built();
const html = readFileSync(join(PAGE, "index.html"), "utf8");
const weight = [...Object.values(files), html].reduce((sum, text) => sum + gzipSync(text).length, 0);
if (weight > MOST) throw new Error(`the page weighs ${weight} bytes gzipped, more than ${MOST}`);
if (process.argv.includes("--check")) {
  const stale = differing(files);
  if (stale.length) {
    console.error(`page/dist is not what the sources give (${stale.join(", ")}): run \`make page\` and commit it`);
    process.exit(1);
  }
} else {
  rmSync(DIST, {recursive: true, force: true});
  mkdirSync(DIST);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(DIST, name), text);
}
console.log(`the page: ${Math.round(weight / 1000)} kB gzipped`);
