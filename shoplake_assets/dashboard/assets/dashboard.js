/* What only a browser knows: the viewer's time zone, and what is written on its tab. */
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  shoplake: {
    zone: () => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC",
    title: (links) => {
      const current = links.find((link) => link.props.className === "current");
      document.title = current ? `${current.props.children.props.children} \u00b7 Shoplake` : "Shoplake";
      return document.title;
    },
  },
});
