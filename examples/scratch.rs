use porewalk::caputo::*; use porewalk::fokker_planck::*; use porewalk::mesh::*; use porewalk::propagator::*; use porewalk::landscape::Landscape;
use std::sync::Arc; use std::time::Instant;
struct L<F>(usize, F);
impl<F: Fn(&[f64])->f64+Send+Sync> Landscape for L<F>{ fn dimension(&self)->usize{self.0} fn loss(&self,w:&[f64])->f64{(self.1)(w)} }
fn gauss(mesh:&Arc<Mesh>, m:&[f64], s:f64)->Density{ let mut p:Vec<f64>=mesh.cells().iter().map(|c|{ let r:f64=m.iter().zip(&c.center).map(|(a,b)|(a-b).powi(2)).sum(); (-r/(2.*s*s)).exp()}).collect(); let t:f64=p.iter().sum(); p.iter_mut().for_each(|x|*x/=t); Density::new(mesh.clone(),p)}
fn l1(a:&Density,b:&Density)->f64{a.probability().iter().zip(b.probability()).map(|(x,y)|(x-y).abs()).sum()}
fn main(){
  let args:Vec<String>=std::env::args().collect();
  let d:f64=args[1].parse().unwrap(); let w:f64=args[2].parse().unwrap(); let alpha:f64=args[3].parse().unwrap(); let tol:f64=args[4].parse().unwrap();
  let mode=args.get(5).map(|s|s.as_str()).unwrap_or("multi");
  let land=L(1,|x:&[f64]|(x[0]*x[0]-1.0).powi(2));
  let mesh=Arc::new(Mesh::cartesian(&[Axis::new(-w,w,1000).unwrap()]).unwrap());
  let diff=UniformDiffusivity::new(d).unwrap();
  let t0=Instant::now();
  let op=FokkerPlanck{landscape:&land,diffusivity:&diff,friction:1.0}.discretize(mesh.clone(),Flux::ScharfetterGummel).unwrap();
  let st=op.stationary().unwrap();
  println!("assembly {:?}",t0.elapsed());
  let init=gauss(&mesh,&[-1.0],0.2);
  let times:Vec<f64>= if mode=="one" {vec![args[6].parse().unwrap()]} else {(0..100).map(|k|10f64.powf(-3.0+6.0*k as f64/99.)).collect()};
  let ev=Evolution{operator:&op,stationary:&st,order:FractionalOrder::new(alpha).unwrap(),initial:&init,times:&times,tolerance:tol,memory_limit:1<<32};
  for _ in 0..3 { let t0=Instant::now(); let s=Krylov::default().propagate(&ev,&mut ()); let el=t0.elapsed(); match s { Ok(s)=>println!("krylov {:?} {:?} raw mass {:e} est {:?}",el,s.work,s.raw_mass_defect,s.error_estimates.unwrap().iter().cloned().fold(0.,f64::max)), Err(e)=>println!("{el:?} {e}")} }
  let s=match Krylov::default().propagate(&ev,&mut ()) {Ok(s)=>s,Err(_)=>return};
  let mut ev2=ev; ev2.tolerance=1e-14;
  let t0=Instant::now();
  match (Spectral::default()).propagate(&Evolution{tolerance:1e-7,..ev},&mut ()) { Ok(r)=>{ println!("spectral {:?} est {:e}",t0.elapsed(),r.error_estimates.as_ref().unwrap()[0]); let e:Vec<f64>=s.densities.iter().zip(&r.densities).map(|(a,b)|l1(a,b)).collect(); println!("vs spectral max {:e}", e.iter().cloned().fold(0.,f64::max)); for k in (0..e.len()).step_by(20){print!("t={:.1e}:{:.1e} ",times[k],e[k]);} println!();}, Err(e)=>println!("{e}") }
  match (Krylov{largest_basis:400}).propagate(&Evolution{tolerance:tol*1e-2,..ev},&mut ()) { Ok(r)=>{ println!("finer {:?}",r.work); let e:Vec<f64>=s.densities.iter().zip(&r.densities).map(|(a,b)|l1(a,b)).collect(); println!("vs finer krylov max {:e} min {:e}", e.iter().cloned().fold(0.,f64::max), s.densities.iter().map(|d|d.minimum()).fold(0.,f64::min));}, Err(e)=>println!("finer: {e}") }
}
