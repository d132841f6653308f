// The convolution stepper: a filter slides over a picture, and its map fills up.
{
  const play = document.querySelector('[data-play="stepper"]');
  if (play) {
    const inside = (name) => JSON.parse(play.querySelector(`template.${name}`).content.textContent);
    const words = inside("words");
    const data = inside("data");
    const stage = play.querySelector(".stage");
    const state = { filter: 0, stride: data.strides[0], at: 0, seen: 0 };
    const minus = (number) => String(number).replace("-", "−");

    const make = (tag, parent, text) => {
      const node = parent.appendChild(document.createElement(tag));
      if (text !== undefined) node.textContent = text;
      return node;
    };
    const bar = make("div", stage);
    bar.className = "bar";
    const choice = (key, values, names) => {
      const label = make("label", bar);
      const word = make("span", label);
      word.dataset.word = key;
      label.append(" ");
      const select = make("select", label);
      select.className = key;
      values.forEach((value, at) => { make("option", select, names[at]).value = value; });
      return select;
    };
    const filters = choice("filter", data.filters.map((_, at) => at), data.filters.map((_, at) => at + 1));
    const strides = choice("stride", data.strides, data.strides);
    const press = (key, action) => {
      const button = make("button", bar);
      button.type = "button";
      button.className = key;
      button.dataset.word = key;
      button.addEventListener("click", action);
      return button;
    };
    const back = press("back", () => go(state.at - 1));
    const next = press("next", () => go(state.at + 1));
    const all = press("all", () => { state.seen = steps() - 1; go(state.seen); });
    const boards = make("div", stage);
    boards.className = "boards";
    const board = (key, focus) => {
      const table = make("table", boards);
      table.className = `board ${key}`;
      if (focus) table.tabIndex = 0;
      make("caption", table).dataset.word = key;
      make("tbody", table);
      return table;
    };
    const picture = board("picture", true);
    const kernel = board("kernel", false);
    const map = board("map", false);
    const sum = make("p", stage);
    sum.className = "sum";
    sum.setAttribute("aria-live", "polite");

    const size = data.filters[0].length;
    const side = () => Math.floor((data.picture.length - size) / state.stride) + 1;
    const steps = () => side() * side();
    const place = (at) => [Math.floor(at / side()), at % side()];
    const value = (row, column) => {
      let total = 0;
      for (let r = 0; r < size; r++)
        for (let c = 0; c < size; c++)
          total += data.filters[state.filter][r][c] *
            data.picture[row * state.stride + r][column * state.stride + c];
      return total;
    };

    const fill = (table, values, mark) => {
      const body = table.tBodies[0];
      body.replaceChildren();
      values.forEach((line, r) => {
        const row = make("tr", body);
        line.forEach((number, c) => {
          const cell = make("td", row, minus(number));
          cell.className = mark(r, c, number);
        });
      });
    };

    const draw = () => {
      const [row, column] = place(state.at);
      const [top, left] = [row * state.stride, column * state.stride];
      const chosen = data.filters[state.filter];
      fill(picture, data.picture, (r, c, number) => {
        const under = r >= top && r < top + size && c >= left && c < left + size;
        return (under ? "under " : "") + (number ? "on" : "");
      });
      fill(kernel, chosen, (r, c, number) => (number > 0 ? "on" : ""));
      const maps = [...Array(side()).keys()].map((r) => [...Array(side()).keys()].map((c) => value(r, c)));
      fill(map, maps, (r, c) => {
        const at = r * side() + c;
        return at === state.at ? "now" : at > state.seen ? "unseen" : "";
      });
      const terms = [];
      chosen.forEach((line, r) => line.forEach((weight, c) => {
        const pixel = data.picture[top + r][left + c];
        if (pixel) terms.push(minus(weight * pixel));
      }));
      const text = words.sum[document.documentElement.lang];
      sum.textContent = text
        .replace("{row}", row + 1).replace("{column}", column + 1)
        .replace("{terms}", terms.map((t) => (t[0] === "−" ? `(${t})` : t)).join(" + ") || "0")
        .replace("{value}", minus(value(row, column)));
      play.dataset.value = value(row, column);
      back.disabled = state.at === 0;
      next.disabled = state.at === steps() - 1;
    };
    const go = (at) => {
      state.at = Math.max(0, Math.min(steps() - 1, at));
      state.seen = Math.max(state.seen, state.at);
      draw();
    };
    const begin = () => {
      state.filter = Number(filters.value);
      state.stride = Number(strides.value);
      state.seen = 0;
      go(0);
    };
    filters.addEventListener("change", begin);
    strides.addEventListener("change", begin);
    picture.addEventListener("keydown", (event) => {
      const [row, column] = place(state.at);
      const aim = {
        ArrowRight: state.at + 1, ArrowLeft: state.at - 1, Home: 0, End: steps() - 1,
        ArrowDown: row + 1 < side() ? state.at + side() : state.at,
        ArrowUp: row > 0 ? state.at - side() : state.at,
      }[event.key];
      if (aim === undefined) return;
      event.preventDefault();
      go(aim);
    });
    const speakHere = () => {
      for (const node of stage.querySelectorAll("[data-word]"))
        node.textContent = words[node.dataset.word][document.documentElement.lang];
      picture.setAttribute("aria-label", words.keys[document.documentElement.lang]);
      draw();
    };
    document.addEventListener("language", speakHere);
    speakHere();
  }
}
