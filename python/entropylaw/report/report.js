(() => {
  const { charts, themes } = JSON.parse(document.getElementById("data").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const draw = () =>
    Promise.all(
      charts.map((spec, number) =>
        window.vegaEmbed(document.getElementById(`chart-${number}`), structuredClone(spec), {
          mode: "vega-lite",
          renderer: "svg",
          config: themes[dark.matches ? "dark" : "light"],
          tooltip: { theme: dark.matches ? "dark" : "light" },
          actions: { export: true, source: false, compiled: false, editor: false },
          downloadFileName: `chart-${number + 1}`,
        }),
      ),
    ).then(() => document.body.setAttribute("data-drawn", "true"));
  dark.addEventListener("change", draw);
  draw();
})();
