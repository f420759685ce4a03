import js from "@eslint/js";
import globals from "globals";

export default [
  {ignores: ["functions/portal/page/dist/", "**/node_modules/"]},
  js.configs.recommended,
  {
    languageOptions: {ecmaVersion: 2024, sourceType: "module", globals: globals.browser},
    linterOptions: {reportUnusedDisableDirectives: "error"},
    rules: {
      "complexity": ["error", 12],
      "eqeqeq": "error",
      "max-len": ["error", {code: 120, ignoreUrls: true}],
      "max-lines": ["error", 400],
      "max-lines-per-function": ["error", 40],
      "no-control-regex": "off",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-unused-vars": ["error", {ignoreRestSiblings: true}],
      "no-var": "error",
      "prefer-const": "error",
      "no-restricted-properties": ["error",
        ...["innerHTML", "outerHTML", "insertAdjacentHTML"].map(property =>
          ({property, message: "What people send never becomes markup."})),
        {object: "document", property: "write", message: "What people send never becomes markup."}],
    },
  },
  {files: ["tools/page/*.js", "tests/page/*.js"], languageOptions: {globals: globals.node}},
];
