// Writes src/api/schema.ts: the types of what the server answers, from the OpenAPI document of the API.
// `--check` writes nothing and fails where the file is stale.
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString } from "openapi-typescript";

const DOCUMENT = new URL("../../../../schemas/generated/openapi.json", import.meta.url);
const TYPES = new URL("../src/api/schema.ts", import.meta.url);
const HEADING = "// Generated from schemas/generated/openapi.json by `npm run types`; not to be changed by hand.\n";

const { openapi, info, components } = JSON.parse(await readFile(DOCUMENT, "utf8"));
// Paths, with an example each, are ten times the answers and name nothing that the page has a use for.
const answers = { openapi, info, paths: {}, components };
const tree = await openapiTS(answers, { immutable: true, rootTypes: true, rootTypesNoSchemaPrefix: true });
const text = HEADING + astToString(tree).replaceAll(/ {4}/g, "  ");

if (process.argv.includes("--check")) {
  const standing = await readFile(TYPES, "utf8").catch(() => "");
  if (standing !== text) {
    console.error("src/api/schema.ts is stale; run `make generate`");
    process.exit(1);
  }
} else {
  await writeFile(TYPES, text);
}
