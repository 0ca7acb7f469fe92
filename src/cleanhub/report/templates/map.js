// The map: layers, sector filter, pan, zoom, keyboard, tooltips. No library, no request.
// Without this script the map is a whole static drawing with native tooltips.
(function () {
  "use strict";
  document.documentElement.classList.add("scripted");
  var figure = document.getElementById("map-figure");
  var svg = document.getElementById("map-svg");
  if (!figure || !svg) return;
  var tip = figure.querySelector(".tip");
  var stage = figure.querySelector(".stage");
  var marks = Array.prototype.slice.call(svg.querySelectorAll("g.m"));
  var ranks = Array.prototype.slice.call(svg.querySelectorAll("g.r"));
  var full = svg.viewBox.baseVal;
  var home = { x: full.x, y: full.y, w: full.width, h: full.height };
  var view = { x: home.x, y: home.y, w: home.w, h: home.h };
  var hidden = {}, sector = "", drag = null;

  marks.forEach(function (mark) {
    var title = mark.querySelector("title");
    mark.about = title.textContent;
    mark.at = mark.getAttribute("transform");
    mark.setAttribute("aria-label", mark.about.replace(/\n/g, ", "));
    mark.setAttribute("role", "img");
    mark.setAttribute("tabindex", "-1");
    title.remove();
  });
  ranks.forEach(function (rank) { rank.at = rank.getAttribute("transform"); });
  svg.setAttribute("tabindex", "0");
  svg.setAttribute("role", "application");

  function shown() {
    return marks.filter(function (mark) { return mark.style.display !== "none"; });
  }
  function filter() {
    marks.concat(ranks).forEach(function (mark) {
      var own = mark.dataset.sector;
      var off = hidden[mark.dataset.layer] || (sector && own && own !== sector);
      mark.style.display = off ? "none" : "";
    });
    marks.forEach(function (mark) { mark.setAttribute("tabindex", "-1"); });
    svg.querySelectorAll("[data-layer=county]").forEach(function (layer) {
      layer.style.strokeOpacity = hidden.county ? 0 : 1;
    });
    svg.querySelectorAll("[data-layer=flow]").forEach(function (layer) {
      layer.style.display = hidden.flow ? "none" : "";
    });
    var first = shown()[0];
    if (first) first.setAttribute("tabindex", "0");
    hide();
  }
  function draw() {
    view.w = Math.min(Math.max(view.w, home.w / 40), home.w);
    view.h = view.w * home.h / home.w;
    view.x = Math.min(Math.max(view.x, home.x), home.x + home.w - view.w);
    view.y = Math.min(Math.max(view.y, home.y), home.y + home.h - view.h);
    svg.setAttribute("viewBox", [view.x, view.y, view.w, view.h].join(" "));
    var scale = Math.pow(view.w / home.w, 0.8);
    marks.concat(ranks).forEach(function (mark) {
      mark.setAttribute("transform", mark.at + " scale(" + scale + ")");
    });
    hide();
  }
  function zoom(factor, cx, cy) {
    var w = Math.min(Math.max(view.w * factor, home.w / 40), home.w);
    var k = w / view.w;
    view.x = cx - (cx - view.x) * k;
    view.y = cy - (cy - view.y) * k;
    view.w = w;
    draw();
  }
  function middle(factor) { zoom(factor, view.x + view.w / 2, view.y + view.h / 2); }
  function move(dx, dy) { view.x += dx * view.w; view.y += dy * view.h; draw(); }
  function point(event) {
    var box = svg.getBoundingClientRect();
    return {
      x: view.x + (event.clientX - box.left) / box.width * view.w,
      y: view.y + (event.clientY - box.top) / box.height * view.h
    };
  }
  function hide() { tip.hidden = true; }
  function show(mark) {
    tip.textContent = "";
    mark.about.split("\n").forEach(function (text, i) {
      var row = document.createElement(i ? "div" : "b");
      row.textContent = text;
      tip.appendChild(row);
    });
    tip.hidden = false;
    var box = mark.getBoundingClientRect(), frame = stage.getBoundingClientRect();
    var left = box.left + box.width / 2 - frame.left - tip.offsetWidth / 2;
    var top = box.top - frame.top - tip.offsetHeight - 8;
    if (top < 0) top = box.bottom - frame.top + 8;
    left = Math.max(4, Math.min(left, frame.width - tip.offsetWidth - 4));
    tip.style.left = left + "px";
    tip.style.top = top + "px";
  }

  marks.forEach(function (mark) {
    mark.addEventListener("pointerenter", function () { if (!drag) show(mark); });
    mark.addEventListener("pointerleave", hide);
    mark.addEventListener("click", function () { show(mark); });
    mark.addEventListener("focus", function () { show(mark); });
    mark.addEventListener("blur", hide);
  });
  svg.addEventListener("pointerdown", function (event) {
    drag = { x: event.clientX, y: event.clientY, vx: view.x, vy: view.y, far: false };
  });
  window.addEventListener("pointermove", function (event) {
    if (!drag) return;
    var box = svg.getBoundingClientRect();
    var dx = event.clientX - drag.x, dy = event.clientY - drag.y;
    if (!drag.far && Math.abs(dx) + Math.abs(dy) < 4) return;
    drag.far = true;
    view.x = drag.vx - dx / box.width * view.w;
    view.y = drag.vy - dy / box.height * view.h;
    draw();
  });
  ["pointerup", "pointercancel"].forEach(function (kind) {
    window.addEventListener(kind, function () { drag = null; });
  });
  svg.addEventListener("wheel", function (event) {
    var active = svg.contains(document.activeElement) || event.ctrlKey || event.metaKey;
    if (!active) return;
    event.preventDefault();
    var at = point(event);
    zoom(event.deltaY > 0 ? 1.25 : 0.8, at.x, at.y);
  }, { passive: false });
  svg.addEventListener("keydown", function (event) {
    var steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    var step = steps[event.key], list = shown(), at = list.indexOf(document.activeElement);
    if (step && at >= 0) {
      var next = list[(at + step[0] + step[1] + list.length) % list.length];
      list[at].setAttribute("tabindex", "-1");
      next.setAttribute("tabindex", "0");
      next.focus();
    } else if (step) move(step[0] * 0.15, step[1] * 0.15);
    else if (event.key === "+" || event.key === "=") middle(0.7);
    else if (event.key === "-") middle(1 / 0.7);
    else if (event.key === "0") { view.w = home.w; draw(); }
    else if (event.key === "Escape") { hide(); svg.focus(); }
    else return;
    event.preventDefault();
  });
  figure.querySelectorAll("[data-do]").forEach(function (button) {
    button.addEventListener("click", function () {
      var job = button.dataset.do;
      if (job === "home") { view.w = home.w; draw(); } else middle(job === "in" ? 0.6 : 1 / 0.6);
    });
  });
  figure.querySelectorAll(".layers input").forEach(function (box) {
    box.addEventListener("change", function () {
      hidden[box.value] = !box.checked;
      filter();
    });
  });
  var select = figure.querySelector("select");
  select.addEventListener("change", function () { sector = select.value; filter(); });
  window.addEventListener("beforeprint", function () { view.w = home.w; draw(); });
  filter();
}());
