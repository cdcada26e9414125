// A list of any length: only the rows in sight are elements, and they are used again. A row has one height, so nothing
// moves when its text arrives.

/** Browsers stop counting pixels somewhere above this; longer lists are scrolled in proportion. */
const TALLEST = 12_000_000;
const AROUND = 6;

export class VirtualList {
  /**
   * @param host the element that scrolls
   * @param height of a row, in pixels
   * @param make gives a row: `{ el, show(item, index), blank(index) }`
   */
  constructor({ host, height, make, source }) {
    this.host = host;
    this.height = height;
    this.make = make;
    this.source = source;
    this.rows = new Map();
    this.spare = [];
    this.inner = document.createElement("div");
    this.inner.className = "rows-inner";
    this.inner.setAttribute("role", "list");
    host.replaceChildren(this.inner);
    this.frame = 0;
    host.addEventListener("scroll", () => this.soon(), { passive: true });
    this.watch = new ResizeObserver(() => this.soon());
    this.watch.observe(host);
  }

  /** Draws in the next frame. */
  soon() {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  get full() {
    return this.source.total * this.height;
  }

  /** The place in the list, in pixels of a list that is not squeezed. */
  get top() {
    const { scrollTop, clientHeight } = this.host;
    if (this.full <= TALLEST) return scrollTop;
    const room = Math.max(1, TALLEST - clientHeight);
    return (scrollTop / room) * (this.full - clientHeight);
  }

  set top(value) {
    const { clientHeight } = this.host;
    const most = Math.max(0, this.full - clientHeight);
    const wanted = Math.max(0, Math.min(value, most));
    this.size();
    this.host.scrollTop = this.full <= TALLEST ? wanted : (wanted / most) * (TALLEST - clientHeight);
  }

  size() {
    const height = `${Math.min(this.full, TALLEST)}px`;
    if (this.inner.style.height !== height) this.inner.style.height = height;
  }

  /** The rows in sight: first and one past the last. */
  sight() {
    const top = this.top;
    const first = Math.max(0, Math.floor(top / this.height) - AROUND);
    const last = Math.min(this.source.total, Math.ceil((top + this.host.clientHeight) / this.height) + AROUND);
    return [first, last];
  }

  draw() {
    this.size();
    const [first, last] = this.sight();
    const shift = this.full <= TALLEST ? 0 : this.host.scrollTop - this.top;
    for (const [index, row] of this.rows) {
      if (index >= first && index < last) continue;
      this.rows.delete(index);
      row.el.hidden = true;
      this.spare.push(row);
    }
    for (let index = first; index < last; index++) {
      let row = this.rows.get(index);
      if (!row) {
        row = this.spare.shift() ?? this.fresh();
        row.el.hidden = false;
        this.rows.set(index, row);
      }
      const place = `translateY(${index * this.height + shift}px)`;
      if (row.place !== place) row.el.style.transform = row.place = place;
      const item = this.source.at(index);
      if (item) row.show(item, index, this.source.total);
      else row.blank(index);
    }
    this.source.want(first, last);
    clearTimeout(this.calm);
    this.calm = setTimeout(() => this.order(), 150);
  }

  /** Rows are used again wherever they stand; once it is calm they stand as they are read, for who hears the page. */
  order() {
    const rows = [...this.rows].sort((a, b) => a[0] - b[0]).map(([, row]) => row.el);
    const focused = rows.findIndex((el) => el.contains(document.activeElement));
    if (rows.every((el, at) => at === 0 || el.previousElementSibling === rows[at - 1])) return;
    // What has the focus stays where it is, or it would lose it; the others are put around it.
    rows.forEach((el, at) => {
      if (at < focused) this.inner.insertBefore(el, rows[focused]);
      else if (at > focused) this.inner.append(el);
    });
    for (const row of this.spare) this.inner.append(row.el);
  }

  fresh() {
    const row = this.make();
    this.inner.append(row.el);
    return row;
  }

  /** What must stay where it is when the list changes: the first row that is wholly in sight. */
  anchor() {
    const top = this.top;
    if (top < this.height / 2) return null;
    const index = Math.ceil(top / this.height);
    const item = this.source.at(index);
    return item ? { id: item.id, offset: index * this.height - top } : null;
  }

  /** Puts it back there. */
  hold(anchor) {
    if (!anchor) return;
    const index = this.source.indexOf(anchor.id);
    if (index >= 0) this.top = index * this.height - anchor.offset;
  }

  /** Brings a row into sight, and gives its element. */
  reveal(index) {
    const top = this.top;
    const at = index * this.height;
    if (at < top) this.top = at;
    else if (at + this.height > top + this.host.clientHeight) this.top = at + this.height - this.host.clientHeight;
    this.draw();
    return this.rows.get(index)?.el;
  }

  end() {
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.calm);
  }
}
