"""
Inventing dinosaurs
===================

A language model of many short texts: the names of 303 dinosaurs, letter by letter. It invents others, which sound like
them. Names that it was not trained on tell whether it has learned more than the names themselves; nets of several sizes
are compared by them, as anything else in scikit-learn is.
"""

import warnings
from time import perf_counter

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, KFold

from skrnn import RNNLanguageModel

NAMES = """
    abelisaurus achelousaurus acrocanthosaurus aegyptosaurus afrovenator agilisaurus alamosaurus albertaceratops
    albertosaurus allosaurus alvarezsaurus amargasaurus ammosaurus ampelosaurus amygdalodon anchiceratops
    anchisaurus ankylosaurus anserimimus antarctosaurus apatosaurus aragosaurus aralosaurus archaeoceratops
    archaeopteryx archaeornithomimus argentinosaurus arrhinoceratops atlascopcosaurus aucasaurus austrosaurus
    avaceratops avimimus bactrosaurus bagaceratops bambiraptor barapasaurus barosaurus baryonyx becklespinax
    beipiaosaurus bellusaurus borogovia brachiosaurus brachylophosaurus brachytrachelopan buitreraptor
    camarasaurus camptosaurus carcharodontosaurus carnotaurus caudipteryx cedarpelta centrosaurus ceratosaurus
    cetiosauriscus cetiosaurus chaoyangsaurus chasmosaurus chindesaurus chinshakiangosaurus chirostenotes
    chubutisaurus chungkingosaurus citipati coelophysis coelurus coloradisaurus compsognathus conchoraptor
    confuciusornis corythosaurus cryolophosaurus dacentrurus daspletosaurus datousaurus deinocheirus deinonychus
    deltadromeus diceratops dicraeosaurus dilophosaurus diplodocus dromaeosaurus dromiceiomimus dryosaurus
    dryptosaurus dubreuillosaurus edmontonia edmontosaurus einiosaurus elaphrosaurus emausaurus eolambia eoraptor
    eotyrannus equijubus erketu erlikosaurus euhelopus euoplocephalus europasaurus eustreptospondylus fabrosaurus
    fukuiraptor fukuisaurus gallimimus gargoyleosaurus garudimimus gasosaurus gasparinisaura gastonia
    giganotosaurus gilmoreosaurus giraffatitan gobisaurus gorgosaurus goyocephale graciliceratops gryposaurus
    guanlong hadrosaurus hagryphus haplocanthosaurus harpymimus herrerasaurus hesperosaurus heterodontosaurus
    homalocephale huayangosaurus hylaeosaurus hypacrosaurus hypsilophodon iguanodon indosuchus ingenia irritator
    isisaurus janenschia jaxartosaurus jingshanosaurus jinzhousaurus jobaria juravenator kentrosaurus khaan
    kotasaurus kritosaurus lambeosaurus lapparentosaurus leaellynasaura leptoceratops lesothosaurus liaoceratops
    ligabuesaurus liliensternus lophorhothon lophostropheus lufengosaurus lurdusaurus lycorhinus magyarosaurus
    maiasaura majungatholus malawisaurus mamenchisaurus mapusaurus marshosaurus masiakasaurus massospondylus
    maxakalisaurus megalosaurus melanorosaurus metriacanthosaurus microceratops micropachycephalosaurus
    microraptor minmi monolophosaurus mononykus mussaurus muttaburrasaurus nanshiungosaurus nedoceratops
    nemegtosaurus neovenator neuquenosaurus nigersaurus nipponosaurus noasaurus nodosaurus nomingia nothronychus
    olorotitan omeisaurus ornitholestes ornithomimus orodromeus oryctodromeus othnielia ouranosaurus oviraptor
    pachycephalosaurus pachyrhinosaurus panoplosaurus pantydraco paralititan parasaurolophus parksosaurus
    patagosaurus pelicanimimus pelorosaurus pentaceratops piatnitzkysaurus pinacosaurus plateosaurus podokesaurus
    polacanthus prenocephale probactrosaurus proceratosaurus procompsognathus prosaurolophus protarchaeopteryx
    protoceratops protohadros psittacosaurus quaesitosaurus rebbachisaurus rhabdodon rhoetosaurus rinchenia
    riojasaurus rugops saichania saltasaurus saltopus sarcosaurus saurolophus sauropelta saurophaganax
    saurornithoides scelidosaurus scutellosaurus secernosaurus segisaurus segnosaurus shamosaurus shanag
    shantungosaurus shunosaurus silvisaurus sinocalliopteryx sinornithosaurus sinosauropteryx sinraptor
    sonidosaurus spinosaurus staurikosaurus stegoceras stegosaurus stenopelix struthiomimus struthiosaurus
    styracosaurus suchomimus supersaurus talarurus tanius tarbosaurus tarchia telmatosaurus tenontosaurus
    thecodontosaurus therizinosaurus thescelosaurus torosaurus torvosaurus triceratops troodon tsagantegia
    tsintaosaurus tuojiangosaurus tylocephale tyrannosaurus udanoceratops unenlagia urbacodon utahraptor
    valdosaurus velociraptor vulcanodon xenotarsosaurus yandusaurus yangchuanosaurus yimenosaurus yingshanosaurus
    yinlong yuanmousaurus yunnanosaurus zalmoxes zephyrosaurus zuniceratops
"""


def main():
    """Choose a net, invent names."""
    warnings.simplefilter("ignore", ConvergenceWarning)     # a fixed number of epochs is part of the search
    start = perf_counter()
    dinosaurs = NAMES.split()
    names = np.random.default_rng(0).permutation(dinosaurs)
    model = RNNLanguageModel(embedding_dim=8, n_streams=8, dropout=0.3, max_iter=30, random_state=0)
    search = GridSearchCV(model, {"hidden_size": [8, 32, 64]}, cv=KFold(3), n_jobs=2).fit(names)
    print(f"Bits per letter on held-out names, of {len(names)} in all:")
    for size, score in zip([8, 32, 64], search.cv_results_["mean_test_score"], strict=True):
        print(f"    {size:>3} units: {-score / np.log(2):.2f}")
    print(f"    to compare: {np.log2(len(search.best_estimator_.vocabulary_) + 1):.2f} if all were equally likely\n")
    random_state = np.random.RandomState(0)
    invented = [search.best_estimator_.generate(30, temperature=0.8, random_state=random_state) for _ in range(40)]
    new = [name for name in dict.fromkeys(invented) if name not in dinosaurs]
    print(f"Of 40 names, {len(new)} are new:")
    for name in new[:12]:
        print("   ", name)
    print(f"Took {perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
