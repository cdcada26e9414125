// The first script, and a small one: the page is painted as it came, and only then its modules are asked for, all of them at
// once rather than each when another one is found to need it.

let begun = false;

async function begin() {
  if (begun) return;
  begun = true;
  for (const name of document.querySelector("meta[name=modules]").content.split(" ")) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = new URL(name, import.meta.url).href;
    document.head.append(link);
  }
  try {
    await import("./app.js");
  } catch (error) {
    const told = document.createElement("p");
    told.className = "plain";
    told.setAttribute("role", "alert");
    told.textContent = "A part of this page did not arrive. Load it again.";
    document.getElementById("main").replaceChildren(told);
    throw error;
  }
}

// A tab that nobody looks at is not painted.
requestAnimationFrame(() => setTimeout(begin));
setTimeout(begin, 200);
