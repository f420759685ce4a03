// @ts-check
// Rows of a table with the line at which each begins, as rejects and results count them.

/** Names of the column that holds abstracts, as the service looks for them. */
export const COLUMNS = ["abstract", "text"];
const SEPARATORS = ["\t", ";", ","];

/** Return what separates the cells of a header that names abstracts; "" where it names none. */
export function separatorOf(header) {
  const named = separator => header.split(separator).map(cell => cell.trim().replace(/^"|"$/g, "").toLowerCase());
  return SEPARATORS.find(separator => COLUMNS.some(name => named(separator).includes(name))) ?? "";
}

/** Return the rows of a table, [{line, cells}]; a cell in quotes may hold line ends. */
export function tableRows(text, separator) {
  const bare = `[^${separator}\\r\\n]*`, ends = `${separator}|\\r\\n|\\n|\\r|$`;
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"${bare}|(${bare}))(${ends})`, "y");
  const rows = [];
  let cells = [], line = 1, next = 1;
  while (cell.lastIndex < text.length) {
    const [whole, quoted, plain, end] = cell.exec(text) ?? [""];
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    next += (whole.match(/\r\n|\r|\n/g) ?? []).length;
    if (end === separator) continue;
    if (cells.length > 1 || cells[0].trim()) rows.push({line, cells});
    [cells, line] = [[], next];
  }
  return cells.length ? [...rows, {line, cells: [...cells, ""]}] : rows;
}
