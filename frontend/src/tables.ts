// Tables that are already on the page: a filter box, and sorting by a click on a heading.

function cells(row: HTMLTableRowElement, column: number): string {
  const cell = row.cells[column];
  return cell?.dataset.value ?? cell?.textContent?.trim() ?? "";
}

function compare(a: string, b: string): number {
  const x = Number(a);
  const y = Number(b);
  if (a !== "" && b !== "" && !Number.isNaN(x) && !Number.isNaN(y)) return x - y;
  if (a === "" || b === "") return a === b ? 0 : a === "" ? 1 : -1; // what is missing comes last
  return a.localeCompare(b);
}

function sortable(table: HTMLTableElement): void {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead?.rows[0]?.cells ?? []);
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...Array.from(head.childNodes));
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = Array.from(body.rows);
      rows.sort((a, b) => {
        const x = cells(a, column);
        const y = cells(b, column);
        return x === "" || y === "" ? compare(x, y) : down ? compare(y, x) : compare(x, y);
      });
      body.append(...rows);
    });
  });
}

function filterable(box: HTMLElement, table: HTMLTableElement): void {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const count = document.createElement("output");
  input.type = "search";
  label.append("Filter ", input);
  box.append(label, count);
  const rows = Array.from(table.tBodies[0].rows);
  const texts = rows.map((row) => (row.textContent ?? "").toLowerCase());
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      const fits = words.every((word) => texts[i].includes(word));
      row.hidden = !fits;
      if (fits) shown += 1;
    });
    count.textContent = words.length ? ` ${shown} of ${rows.length} rows` : "";
  });
}

document.querySelectorAll<HTMLTableElement>("table.sortable").forEach(sortable);
document.querySelectorAll<HTMLElement>("[data-filter]").forEach((box) => {
  const table = document.getElementById(box.dataset.filter ?? "");
  if (table instanceof HTMLTableElement) filterable(box, table);
});
