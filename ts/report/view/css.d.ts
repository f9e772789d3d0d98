/** Style sheets that view/report.ts has bundled with it. */
declare module "*.css";
