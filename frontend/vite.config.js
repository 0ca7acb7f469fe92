// Builds src/*.ts into the Python package. File names are fixed: the server gives every file an ETag.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(here, "../src/cleanhub/web/static");

/** Files below `folder` in order of their names, as paths with forward slashes. */
function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here, join(entry.parentPath, entry.name)).split("\\").join("/"))
    .sort();
}

/** One hash over names and bytes; tests/web/test_build.py computes the same without node. */
function hashOf(names) {
  const hash = createHash("sha256");
  for (const name of names) {
    hash.update(name + "\0");
    hash.update(readFileSync(join(here, name)));
    hash.update("\0");
  }
  return hash.digest("hex");
}

/** The licence texts of what is bundled, and the record of what was built from what. */
function record() {
  return {
    name: "record",
    closeBundle() {
      const lock = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
      const texts = Object.entries(lock.packages)
        .filter(([path, entry]) => path && !entry.dev && !entry.devOptional)
        .map(([path, entry]) => licence(path, entry));
      writeFileSync(
        join(out, "LICENSES.txt"),
        "Libraries in these files, with their licences. Made by the build of frontend/.\n\n" + texts.join("\n")
      );
      const sources = ["package.json", "package-lock.json", "tsconfig.json", "vite.config.js", ...filesBelow(join(here, "src"))];
      const built = readdirSync(out).filter((name) => name !== "build.json").sort();
      const files = Object.fromEntries(
        built.map((name) => [name, createHash("sha256").update(readFileSync(join(out, name))).digest("hex")])
      );
      writeFileSync(join(out, "build.json"), JSON.stringify({ sources: hashOf(sources), files }, null, 1) + "\n");
    },
  };
}

function licence(path, entry) {
  const folder = join(here, path);
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
  const own = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const author = typeof own.author === "object" ? own.author?.name : own.author;
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : `No licence file; author: ${author ?? "not stated"}`;
  const rule = "=".repeat(78);
  return `${rule}\n${own.name} ${entry.version} (${own.license})\n${rule}\n${text}\n`;
}

export default defineConfig({
  root: here,
  base: "/static/",
  plugins: [record()],
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: true,
    rolldownOptions: {
      input: { charts: "src/charts.ts", map: "src/map.ts", tables: "src/tables.ts" },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name].js",
        assetFileNames: "[name][extname]",
      },
    },
  },
  worker: { format: "es", rolldownOptions: { output: { entryFileNames: "[name].js" } } },
});
