// @ts-check
// The page's beginning.

import {startClassify} from "./classify.js";
import {startJobView} from "./job_view.js";
import {startKey} from "./key.js";
import {describeModels} from "./models.js";
import {startRank} from "./rank.js";
import {showRuns} from "./runs.js";
import {startTabs} from "./tabs.js";

startKey();
startTabs();
startRank();
startClassify();
startJobView();
showRuns();
describeModels().catch(() => {});
