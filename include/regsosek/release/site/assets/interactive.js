// Vega's expressions are walked as a tree, never compiled: the page's policy allows no code made from strings.
window.regsosekChart = (place, spec) =>
  vegaEmbed(place, spec, {
    ast: true, actions: false, renderer: "svg", defaultStyle: false, tooltip: { disableDefaultStyle: true },
  });
