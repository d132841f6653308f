// --- maps over pictures ------------------------------------------------------------------------
const strength = document.getElementById("strength");
if (strength) {
  const lay = () => {
    for (const map of document.querySelectorAll(".overlay .map"))
      map.style.opacity = strength.value / 100;
  };
  strength.addEventListener("input", lay);
  lay();
}
for (const button of document.querySelectorAll(".overlay .grow"))
  button.addEventListener("click", () => {
    const big = button.parentNode.classList.toggle("big");
    button.setAttribute("aria-pressed", String(big));
  });
