// @ts-check
// A workbook of one sheet (Office Open XML), written by hand and packed by fflate. No elements here.

import {strToU8, zipSync} from "fflate";

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const LINKS = "http://schemas.openxmlformats.org/package/2006/relationships";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const TYPES = "http://schemas.openxmlformats.org/package/2006/content-types";
const KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml";
const LONGEST = 32_767; // characters of a cell
const PARTS = {
  "[Content_Types].xml": `<Types xmlns="${TYPES}"><Default Extension="rels" `
    + 'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    + `<Override PartName="/xl/workbook.xml" ContentType="${KIND}.sheet.main+xml"/>`
    + `<Override PartName="/xl/worksheets/sheet1.xml" ContentType="${KIND}.worksheet+xml"/></Types>`,
  "_rels/.rels": `<Relationships xmlns="${LINKS}"><Relationship Id="r1" Type="${OFFICE}/officeDocument" `
    + 'Target="xl/workbook.xml"/></Relationships>',
  "xl/workbook.xml": `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="ranking" sheetId="1" `
    + 'r:id="r1"/></sheets></workbook>',
  "xl/_rels/workbook.xml.rels": `<Relationships xmlns="${LINKS}"><Relationship Id="r1" `
    + `Type="${OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
};

/**
 * Return a workbook of columns {key, title}. Texts are written as texts, so that no cell is a formula.
 * @param {{key: string, title: string}[]} columns
 * @param {any[]} rows
 * @returns {any} its bytes
 */
export function workbook(columns, rows) {
  const lines = [columns.map(({title}) => title), ...rows.map(row => columns.map(({key}) => row[key]))];
  const data = lines.map((cells, i) => `<row r="${i + 1}">${cells.map(cell).join("")}</row>`).join("");
  const sheet = `<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" `
    + `topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>`
    + `<sheetData>${data}</sheetData></worksheet>`;
  const files = Object.entries({...PARTS, "xl/worksheets/sheet1.xml": sheet});
  return zipSync(Object.fromEntries(files.map(([name, text]) => [name, strToU8(HEAD + text)])),
    {mtime: new Date(1980, 0, 1)});
}

function cell(value) {
  if (value === undefined || value === null || value === "" || Number.isNaN(value)) return "<c/>";
  if (Number.isFinite(value)) return `<c><v>${value}</v></c>`;
  return `<c t="inlineStr"><is><t xml:space="preserve">${escaped(`${value}`.slice(0, LONGEST))}</t></is></c>`;
}

function escaped(text) {
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "")
    .replace(/[&<>]/g, sign => ({"&": "&amp;", "<": "&lt;", ">": "&gt;"})[sign]);
}
