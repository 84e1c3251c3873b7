"use strict";
(() => {
  const body = document.body, field = document.getElementById("find"), count = document.getElementById("count");
  const [back, on] = ["back", "on"].map((id) => document.getElementById(id));
  const sections = [...document.querySelectorAll("section")];
  const articles = sections.map((section) => [...section.querySelectorAll("article")]);
  const total = articles.reduce((sum, some) => sum + some.length, 0);
  let hits = [], at = -1;

  document.querySelector(".bar").hidden = false;
  if (sections.length > 1) {
    const list = document.querySelector("nav ol"), links = new Map();
    sections.forEach((section) => {
      const item = document.createElement("li"), link = document.createElement("a"), when = document.createElement("small");
      link.href = "#" + section.id;
      link.textContent = section.querySelector("h2").textContent;
      link.title = link.textContent;
      when.textContent = section.dataset.when || "no messages";
      link.append(when);
      item.append(link);
      list.append(item);
      links.set(section, link);
    });
    body.classList.add("many");
    const watch = new IntersectionObserver((seen) => seen.forEach((one) => {
      if (one.isIntersecting) {
        links.forEach((link) => link.removeAttribute("aria-current"));
        links.get(one.target).setAttribute("aria-current", "true");
      }
    }), { rootMargin: "-20% 0px -70% 0px" });
    sections.forEach((section) => watch.observe(section));
  }

  const fold = (text) => text.toLowerCase();
  const say = () => {
    if (!field.value.trim()) count.textContent = total.toLocaleString() + (total === 1 ? " message" : " messages");
    else if (!hits.length) count.textContent = "nothing found";
    else count.textContent = (at + 1).toLocaleString() + " of " + hits.length.toLocaleString();
    back.disabled = on.disabled = hits.length < 2;
  };
  const paint = (word) => {
    if (!("highlights" in CSS)) return;
    CSS.highlights.clear();
    if (!word) return;
    const ranges = [];
    for (const article of hits.slice(0, 500)) {
      const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
      for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const text = fold(node.data);
        if (text.length !== node.data.length) continue;
        for (let start = text.indexOf(word); start >= 0 && ranges.length < 5000; start = text.indexOf(word, start + word.length)) {
          const range = new Range();
          range.setStart(node, start);
          range.setEnd(node, start + word.length);
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("hit", new Highlight(...ranges));
  };
  const go = (to) => {
    if (hits[at]) hits[at].classList.remove("now");
    at = hits.length ? (to + hits.length) % hits.length : -1;
    if (hits[at]) {
      hits[at].classList.add("now");
      hits[at].scrollIntoView({ block: "center" });
    }
    say();
  };
  const find = () => {
    const word = fold(field.value.trim());
    document.querySelectorAll("article.now").forEach((one) => one.classList.remove("now"));
    hits = [];
    at = -1;
    sections.forEach((section, number) => {
      let here = 0;
      for (const article of articles[number]) {
        const fits = !word || fold(article.textContent).includes(word);
        article.classList.toggle("gone", !fits);
        for (const more of article.querySelectorAll("details")) more.open = !!word && fits && fold(more.textContent).includes(word);
        if (fits) here += 1;
        if (fits && word) hits.push(article);
      }
      section.classList.toggle("gone", !!word && !here);
    });
    body.classList.toggle("nothing", !!word && !hits.length);
    paint(word);
    if (hits.length) go(0);
    else say();
  };
  let waiting = 0;
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 120);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && hits.length) go(at + (event.shiftKey ? -1 : 1));
    if (event.key === "Escape") {
      field.value = "";
      find();
    }
  });
  back.addEventListener("click", () => go(at - 1));
  on.addEventListener("click", () => go(at + 1));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== field) {
      event.preventDefault();
      field.focus();
    }
  });
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((one) => { one.open = true; }));
  say();
})();
