import { App } from "./app.ts";

const root = document.getElementById("app");
if (root === null) throw new Error("index.html has no #app");
new App(root).start();
