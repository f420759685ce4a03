// Lets Node find the packages of tools/page from the page's modules, as esbuild does: for tests that need no browser.

import {register} from "node:module";

register("./packages.js", import.meta.url);
