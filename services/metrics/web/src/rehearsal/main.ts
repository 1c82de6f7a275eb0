import { RehearsalPage } from "./page.ts";

const root = document.getElementById("app");
if (root === null) throw new Error("rehearsal.html has no #app");
void new RehearsalPage(root).start();
