// The claims page: show the claims of one verdict and one source, and open the one that an address names.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector(".a2a-filter");
  if (!form) return;
  const claims = [...document.querySelectorAll("details.a2a-claim")];
  const filters = [...form.querySelectorAll("select")];
  const said = form.querySelector("output");
  const apply = () => {
    for (const claim of claims) {
      claim.hidden = filters.some((filter) => filter.value && claim.dataset[filter.dataset.filter] !== filter.value);
    }
    said.textContent = `${claims.filter((claim) => !claim.hidden).length} of ${claims.length} claims`;
  };
  const openNamed = () => {
    const named = document.getElementById(location.hash.slice(1));
    if (named instanceof HTMLDetailsElement) named.open = true;
  };
  form.hidden = false;
  form.addEventListener("input", apply);
  addEventListener("hashchange", openNamed);
  apply();
  openNamed();
});
