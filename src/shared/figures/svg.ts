/** Markup as text: the renderer runs in Node and in a browser, without a DOM. */
export const escapeXml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** `<name …>children</name>`; numbers keep one decimal, which is a tenth of a pixel. `children` are markup. */
export function el(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${typeof value === "number" ? px(value) : escapeXml(value)}"`],
  );
  const inside = children.join("");
  return inside === "" ? `<${name}${written.join("")}/>` : `<${name}${written.join("")}>${inside}</${name}>`;
}

export const px = (value: number): string => String(Number(value.toFixed(1)));

/** A name that a browser shows on hover and that assistive technology reads. */
export const tooltip = (text: string): string => (text === "" ? "" : el("title", {}, escapeXml(text)));
