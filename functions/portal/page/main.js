// @ts-check
// The page's beginning.

import {resumeFirst, startAddress} from "./address.js";
import {startClassify} from "./classify.js";
import {startJobView} from "./job_view.js";
import {startDrafts} from "./drafts.js";
import {startKey} from "./key.js";
import {describeModels} from "./models.js";
import {startRank} from "./rank.js";
import {mark, marked} from "./residues.js";
import {showRuns} from "./runs.js";
import {startShortcuts} from "./shortcuts.js";
import {startSnippets} from "./snippets.js";
import {startSkip, startTabs} from "./tabs.js";

startKey();
mark(marked());
startSkip();
startTabs();
startRank();
startClassify();
startJobView();
showRuns();
startAddress();
startSnippets();
startShortcuts();
Promise.all([startDrafts(), describeModels().catch(() => {})]).then(resumeFirst);
