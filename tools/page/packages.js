// A resolver for Node: what is not a path is looked for beside this file.

const BARE = /^[a-z@]/;

export function resolve(name, context, next) {
  const ours = BARE.test(name) && !name.includes(":") && context.parentURL?.includes("/portal/page/");
  return next(name, ours ? {...context, parentURL: import.meta.url} : context);
}
